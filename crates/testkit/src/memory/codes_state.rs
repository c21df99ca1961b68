//! What the store in memory keeps of codes, and what their claims do to it.

use std::collections::BTreeMap;

use quota_core::code::{Code, CodeBatch, CodeFailures, CodeHash, CodeUse};
use quota_core::ids::AccountId;
use quota_core::ports::CodeClaim;
use uuid::Uuid;

/// What is kept of codes.
#[derive(Debug, Default)]
pub(super) struct CodesState {
    pub(super) batches: BTreeMap<Uuid, CodeBatch>,
    pub(super) codes: BTreeMap<CodeHash, Code>,
    pub(super) uses: BTreeMap<(CodeHash, AccountId), CodeUse>,
    pub(super) failures: BTreeMap<AccountId, CodeFailures>,
}

impl CodesState {
    pub(super) fn by_id(&self, id: Uuid) -> Option<&Code> {
        self.codes.values().find(|code| code.id == id)
    }

    pub(super) fn claim(&mut self, claim: &CodeClaim) -> Option<CodeUse> {
        let place = (claim.hash, claim.account.clone());
        if let Some(known) = self.uses.get_mut(&place) {
            known.tries += u32::from(known.done_at.is_none());
            return Some(known.clone());
        }
        let code = self.codes.get_mut(&claim.hash)?;
        if code.refusal(claim.at).is_some() {
            return None;
        }
        code.uses += 1;
        let claimed = CodeUse {
            account: claim.account.clone(),
            key: claim.key.clone(),
            claimed_at: claim.at,
            tries: 1,
            refused: 0,
            done_at: None,
        };
        self.uses.insert(place, claimed.clone());
        Some(claimed)
    }

    pub(super) fn refuse(&mut self, hash: &CodeHash, account: &AccountId) -> bool {
        let place = (*hash, account.clone());
        let Some(known) = self.uses.get_mut(&place) else {
            return false;
        };
        if known.done_at.is_some() {
            return false;
        }
        known.refused += 1;
        let is_free = known.refused == known.tries;
        if is_free {
            self.uses.remove(&place);
            if let Some(code) = self.codes.get_mut(hash) {
                code.uses -= 1;
            }
        }
        is_free
    }
}
