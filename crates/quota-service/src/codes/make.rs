//! Codes are made: drawn at random, told once, kept as hashes.

use quota_core::code::{
    Code, CodeBatch, CodeGift, CodeHash, CodeWindow, PREFIX_CHARS, plain_code, written_code,
};
use quota_core::ids::IdempotencyKey;
use quota_core::instant;
use quota_core::ports::StoreError;
use quota_core::rules::codes::{must_be_givable, must_be_numbers, window_of};
use rand::TryRng;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::Codes;
use crate::EngineError;

/// What codes are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCodes {
    /// What they are for, in the operator's words.
    pub name: String,
    /// What each of them gives.
    pub gift: CodeGift,
    /// How many accounts may redeem each: 1 to [`quota_core::code::USES_MAX`].
    pub uses_max: u32,
    /// When they may be redeemed.
    pub window: CodeWindow,
    /// How many: 1 to [`quota_core::code::CODES_MAX`].
    pub count: u32,
    /// The caller's key: the same request with it makes no other codes (X1).
    pub key: Option<IdempotencyKey>,
}

impl NewCodes {
    /// Hash of what is asked for (X1).
    fn body_hash(&self) -> [u8; 32] {
        let Self {
            name,
            gift,
            uses_max,
            window: CodeWindow { from, until },
            count,
            key: _,
        } = self;
        let said = format!("codes {name:?} {gift:?} {uses_max} {from:?} {until:?} {count}");
        Sha256::digest(said).into()
    }
}

/// A new code, with the secret that is told once. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCode {
    /// What is kept of it.
    pub code: Code,
    /// What is handed out and redeemed.
    pub secret: String,
}

impl std::fmt::Debug for NewCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCode")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// What a request for codes came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeCodes {
    /// Their batch.
    pub batch: CodeBatch,
    /// The codes with their secrets; none where the request was made before under its key: what was told once is told to nobody
    /// again.
    pub codes: Option<Vec<NewCode>>,
}

/// The hash by which a code is found.
pub(super) fn hash_of(code: &str) -> CodeHash {
    CodeHash(Sha256::digest(plain_code(code)).into())
}

impl Codes {
    /// Makes a batch of codes. Their secrets are in the answer and nowhere else.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when nobody could be given that, or never could redeem it; [`EngineError::KeyReused`]
    /// when the key stands for another batch; [`EngineError::Store`] when they cannot be stored.
    pub async fn make(&self, asked: NewCodes) -> Result<MadeCodes, EngineError> {
        let id = match &asked.key {
            Some(key) => id_of(key),
            None => self.engine.next_id(),
        };
        if asked.key.is_some()
            && let Some(known) = self.store.code_batch(id).await?
        {
            return made_before(known, &asked);
        }
        let setting = self.engine.setting_now();
        must_be_numbers(asked.count, asked.uses_max)?;
        must_be_givable(&asked.gift, &setting.context())?;
        let window = window_of(asked.window, &asked.gift, setting.now)?;
        let batch = CodeBatch {
            id,
            body_hash: asked.body_hash(),
            name: asked.name.clone(),
            gift: asked.gift.clone(),
            uses_max: asked.uses_max,
            window,
            count: asked.count,
            created_at: setting.now,
            revoked_at: None,
        };
        let made = self.drawn(&batch)?;
        let codes: Vec<Code> = made.iter().map(|made| made.code.clone()).collect();
        let store = self.store.put_codes(&batch, &codes);
        match store.await? {
            Some(known) => made_before(known, &asked),
            None => Ok(MadeCodes {
                batch,
                codes: Some(made),
            }),
        }
    }

    /// The codes of a batch, each drawn at random.
    fn drawn(&self, batch: &CodeBatch) -> Result<Vec<NewCode>, StoreError> {
        let mut ids: Vec<Uuid> = (0..batch.count).map(|_| self.engine.next_id()).collect();
        // They are listed by id: in the order of their numbers.
        ids.sort_unstable();
        let code = |(number, id)| {
            let mut random = [0_u8; 16];
            let drawn = rand::rngs::SysRng.try_fill_bytes(&mut random);
            drawn.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
            let secret = written_code(random);
            let code = Code {
                id,
                batch: batch.id,
                number,
                hash: hash_of(&secret),
                prefix: secret.chars().take(PREFIX_CHARS).collect(),
                gift: batch.gift.clone(),
                uses_max: batch.uses_max,
                window: batch.window,
                uses: 0,
                created_at: batch.created_at,
                revoked_at: None,
            };
            Ok(NewCode { code, secret })
        };
        (1..).zip(ids).map(code).collect()
    }
}

/// The id of the batch that is asked for under a key: the same for the same key, so that it is made once.
fn id_of(key: &IdempotencyKey) -> Uuid {
    let hash: [u8; 32] = Sha256::digest(format!("codes {key}")).into();
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(first).into_uuid()
}

fn made_before(batch: CodeBatch, asked: &NewCodes) -> Result<MadeCodes, EngineError> {
    if batch.body_hash == asked.body_hash() {
        return Ok(MadeCodes { batch, codes: None });
    }
    let at = instant::text(&batch.created_at);
    Err(EngineError::KeyReused {
        used_for: format!("a batch of codes at {at}; send this one with a key of its own"),
    })
}
