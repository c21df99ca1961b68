//! API keys: random, stored hashed, revocable at once.

use std::sync::Arc;

use quota_core::ports::{ApiKey, KeyScope};
use rand::TryRng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Engine, EngineError};

/// Characters of a secret that are stored and listed.
const PREFIX_CHARS: usize = 12;

/// A new key, with the secret that is shown once. `Debug` hides it.
pub struct NewKey {
    /// What is stored: the hash of the secret, never the secret.
    pub key: ApiKey,
    /// The secret, `quota_` and 64 hexadecimal digits.
    pub secret: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl Engine {
    /// Makes a key; its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it cannot be stored.
    pub async fn create_key(&self, name: &str, scope: KeyScope) -> Result<NewKey, EngineError> {
        let mut random = [0_u8; 32];
        let drawn = rand::rngs::SysRng.try_fill_bytes(&mut random);
        drawn.map_err(|error| quota_core::ports::StoreError::Unavailable(Box::new(error)))?;
        let secret = format!("quota_{}", hex::encode(random));
        let key = ApiKey {
            id: self.next_id(),
            name: name.to_owned(),
            scope,
            prefix: secret.chars().take(PREFIX_CHARS).collect(),
            hash: hash(&secret),
            created_at: self.now(),
            revoked_at: None,
        };
        self.storage().put_key(&key).await?;
        Ok(NewKey { key, secret })
    }

    /// The key that a secret belongs to, revoked or not; remembered for half a second, so that a revoked key is
    /// refused within that time on every node, and at once on the node that revoked it.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it cannot be read.
    pub async fn key_of(&self, secret: &str) -> Result<Option<Arc<ApiKey>>, EngineError> {
        let hash = hash(secret);
        let known_keys = &self.inner.known_keys;
        if let Some(known) = known_keys.get(&hash) {
            return Ok(Some(known));
        }
        let read = known_keys.begin_read();
        let found = self.storage().key_by_hash(&hash).await?.map(Arc::new);
        if let Some(found) = &found {
            known_keys.remember(found, read);
        }
        Ok(found)
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Store`] when they cannot be read.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, EngineError> {
        Ok(self.storage().keys().await?)
    }

    /// Revokes a key; `false` when there is none with this id.
    ///
    /// # Errors
    /// [`EngineError::Store`] when it cannot be written.
    pub async fn revoke_key(&self, id: Uuid) -> Result<bool, EngineError> {
        let revoked = self.storage().revoke_key(id, self.now()).await;
        // Also when nobody knows whether it took effect.
        self.inner.known_keys.forget_all();
        Ok(revoked?)
    }
}
