//! Codes, their uses, and who tried what is none.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quota_core::code::{Code, CodeBatch, CodeFailures, CodeHash, CodeUse};
use quota_core::ids::AccountId;
use quota_core::ports::{
    CodeBatchPage, CodeBatchPlace, CodeClaim, CodePage, CodeStore, CodeUsePage, StoreError,
};
use uuid::Uuid;

use super::MemoryStore;
use super::records::at_most;

fn place(batch: &CodeBatch) -> CodeBatchPlace {
    CodeBatchPlace {
        created_at: batch.created_at,
        id: batch.id,
    }
}

#[async_trait]
impl CodeStore for MemoryStore {
    async fn put_codes(
        &self,
        batch: &CodeBatch,
        codes: &[Code],
    ) -> Result<Option<CodeBatch>, StoreError> {
        self.call(|state| {
            let state = &mut state.codes;
            if let Some(known) = state.batches.get(&batch.id) {
                return Ok(Some(known.clone()));
            }
            state.batches.insert(batch.id, batch.clone());
            let by_hash = codes.iter().map(|code| (code.hash, code.clone()));
            state.codes.extend(by_hash);
            Ok(None)
        })
    }

    async fn code_batch(&self, id: Uuid) -> Result<Option<CodeBatch>, StoreError> {
        self.call(|state| Ok(state.codes.batches.get(&id).cloned()))
    }

    async fn code_batches(&self, page: &CodeBatchPage) -> Result<Vec<CodeBatch>, StoreError> {
        self.call(|state| {
            let is_wanted =
                |batch: &&CodeBatch| page.after.is_none_or(|after| place(batch) < after);
            let all = state.codes.batches.values();
            let mut found: Vec<CodeBatch> = all.filter(is_wanted).cloned().collect();
            found.sort_by_key(|batch| std::cmp::Reverse(place(batch)));
            found.truncate(at_most(page.limit));
            Ok(found)
        })
    }

    async fn code_batch_uses(&self, id: Uuid) -> Result<u64, StoreError> {
        self.call(|state| {
            let all = state.codes.codes.values();
            let of_batch = all.filter(|code| code.batch == id);
            Ok(of_batch.map(|code| u64::from(code.uses)).sum())
        })
    }

    async fn codes(&self, page: &CodePage) -> Result<Vec<Code>, StoreError> {
        self.call(|state| {
            let is_wanted = |code: &&Code| {
                page.batch.is_none_or(|batch| code.batch == batch)
                    && page.after.is_none_or(|after| after < code.id)
            };
            let all = state.codes.codes.values();
            let mut found: Vec<Code> = all.filter(is_wanted).cloned().collect();
            found.sort_by_key(|code| code.id);
            found.truncate(at_most(page.limit));
            Ok(found)
        })
    }

    async fn code(&self, id: Uuid) -> Result<Option<Code>, StoreError> {
        self.call(|state| Ok(state.codes.by_id(id).cloned()))
    }

    async fn code_by_hash(&self, hash: &CodeHash) -> Result<Option<Code>, StoreError> {
        self.call(|state| Ok(state.codes.codes.get(hash).cloned()))
    }

    async fn revoke_code(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.call(|state| {
            let mut all = state.codes.codes.values_mut();
            let found = all.find(|code| code.id == id);
            Ok(found.is_some_and(|code| {
                code.revoked_at.get_or_insert(at);
                true
            }))
        })
    }

    async fn revoke_code_batch(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.call(|state| {
            let all = state.codes.codes.values_mut();
            for code in all.filter(|code| code.batch == id) {
                code.revoked_at.get_or_insert(at);
            }
            let batch = state.codes.batches.get_mut(&id);
            Ok(batch.is_some_and(|batch| {
                batch.revoked_at.get_or_insert(at);
                true
            }))
        })
    }

    async fn claim_code(&self, claim: &CodeClaim) -> Result<Option<CodeUse>, StoreError> {
        self.call(|state| Ok(state.codes.claim(claim)))
    }

    async fn code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<Option<CodeUse>, StoreError> {
        self.call(|state| Ok(state.codes.uses.get(&(*hash, account.clone())).cloned()))
    }

    async fn end_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.call(|state| {
            if let Some(known) = state.codes.uses.get_mut(&(*hash, account.clone())) {
                known.done_at.get_or_insert(at);
            }
            Ok(())
        })
    }

    async fn refuse_code_use(
        &self,
        hash: &CodeHash,
        account: &AccountId,
    ) -> Result<bool, StoreError> {
        self.call(|state| Ok(state.codes.refuse(hash, account)))
    }

    async fn code_uses(&self, page: &CodeUsePage) -> Result<Vec<CodeUse>, StoreError> {
        self.call(|state| {
            let is_wanted = |(hash, account): &(CodeHash, AccountId)| {
                *hash == page.hash && page.after.as_ref().is_none_or(|after| after < account)
            };
            let all = state.codes.uses.iter();
            let wanted = all.filter(|(place, _)| is_wanted(place));
            let found = wanted.map(|(_, known)| known.clone());
            Ok(found.take(at_most(page.limit)).collect())
        })
    }

    async fn code_failures(&self, account: &AccountId) -> Result<Option<CodeFailures>, StoreError> {
        self.call(|state| Ok(state.codes.failures.get(account).copied()))
    }

    async fn count_code_failure(
        &self,
        account: &AccountId,
        (now, over_before): (DateTime<Utc>, DateTime<Utc>),
        most: u32,
    ) -> Result<bool, StoreError> {
        self.call(|state| {
            let first = CodeFailures {
                began_at: now,
                failures: 0,
            };
            let known = state.codes.failures.entry(account.clone());
            let known = known.or_insert(first);
            if known.began_at <= over_before {
                *known = first;
            }
            let counts = known.failures < most;
            known.failures += u32::from(counts);
            Ok(counts)
        })
    }
}
