//! Whether a process can do its work: the answer of `/readyz` beside the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use quota_service::billing::Billing;
use quota_service::{Engine, Health};
use serde_json::json;
use storage_pg::PgStore;

use crate::OpenDatabase;

/// Whether a process can do its work. Clones share the drain.
#[derive(Clone)]
pub struct Readiness {
    engine: Engine,
    postgres: Option<PgStore>,
    provider: Option<Billing>,
    is_draining: Arc<AtomicBool>,
}

impl Readiness {
    /// Of a process over this database.
    pub fn new(engine: &Engine, database: &OpenDatabase) -> Self {
        Self {
            engine: engine.clone(),
            postgres: database.postgres().cloned(),
            provider: None,
            is_draining: Arc::default(),
        }
    }

    /// The same, with the payment provider that is connected.
    #[must_use]
    pub fn with_provider(self, provider: Option<Billing>) -> Self {
        Self { provider, ..self }
    }

    /// From now on the process is not ready: it stops soon.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// 200 `ok` or `degraded` (without the cache, while the store takes no writes, or while the payment provider refuses the key or is
    /// not connected), or 503 with a code, as JSON.
    pub async fn answer(&self) -> (StatusCode, String) {
        match self.state().await {
            Ok(health) => {
                let trouble = self.provider.as_ref().and_then(Billing::trouble);
                let mut body = json!({ "status": status(&health, trouble.is_some()) });
                if self.provider.is_some() {
                    body["provider"] = trouble.unwrap_or_else(|| "ok".to_owned()).into();
                }
                (StatusCode::OK, body.to_string())
            }
            Err(code) => {
                let body = json!({ "status": "unready", "code": code });
                (StatusCode::SERVICE_UNAVAILABLE, body.to_string())
            }
        }
    }

    async fn state(&self) -> Result<Health, &'static str> {
        if self.is_draining.load(Ordering::Relaxed) {
            return Err("draining");
        }
        let health = self.engine.health().await;
        if health.store.is_err() {
            return Err("store_unavailable");
        }
        if let Some(postgres) = &self.postgres {
            let schema = postgres.schema().await.map_err(|_| "store_unavailable")?;
            if !schema.is_enough() {
                return Err("schema_outdated");
            }
        }
        Ok(health)
    }
}

/// The status of a process whose store answers.
fn status(health: &Health, is_provider_in_trouble: bool) -> &'static str {
    if health.is_cache_up && health.writes.is_none() && !is_provider_in_trouble {
        "ok"
    } else {
        "degraded"
    }
}

#[cfg(test)]
mod tests {
    use quota_service::WriteFault;

    use super::*;

    /// What OPERATING.md promises of `/readyz`, on the port of the metrics too, which is the worker's only one.
    #[test]
    fn a_store_that_takes_no_writes_or_a_cache_or_provider_that_is_away_is_degraded() {
        let health = |writes, is_cache_up| Health {
            store: Ok(()),
            writes,
            is_cache_up,
        };
        let of = |writes, is_cache_up| status(&health(writes, is_cache_up), false);
        assert_eq!(of(None, true), "ok");
        assert_eq!(status(&health(None, true), true), "degraded");
        assert_eq!(of(Some(WriteFault::Full), true), "degraded");
        assert_eq!(of(Some(WriteFault::ReadOnly), true), "degraded");
        assert_eq!(of(None, false), "degraded");
    }
}
