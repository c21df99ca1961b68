//! Whether a process can do its work: the answer of `/readyz` beside the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use quota_service::{Engine, Health};
use serde_json::json;
use storage_pg::PgStore;

use crate::OpenDatabase;

/// Whether a process can do its work. Clones share the drain.
#[derive(Clone)]
pub struct Readiness {
    engine: Engine,
    postgres: Option<PgStore>,
    is_draining: Arc<AtomicBool>,
}

impl Readiness {
    /// Of a process over this database.
    pub fn new(engine: &Engine, database: &OpenDatabase) -> Self {
        Self {
            engine: engine.clone(),
            postgres: database.postgres().cloned(),
            is_draining: Arc::default(),
        }
    }

    /// From now on the process is not ready: it stops soon.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// 200 `ok` or `degraded` (without the cache, or while the store takes no writes), or 503 with a code, as JSON.
    pub async fn answer(&self) -> (StatusCode, String) {
        match self.state().await {
            Ok(status) => (StatusCode::OK, json!({ "status": status }).to_string()),
            Err(code) => {
                let body = json!({ "status": "unready", "code": code });
                (StatusCode::SERVICE_UNAVAILABLE, body.to_string())
            }
        }
    }

    async fn state(&self) -> Result<&'static str, &'static str> {
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
        Ok(status(&health))
    }
}

/// The status of a process whose store answers.
fn status(health: &Health) -> &'static str {
    if health.is_cache_up && health.writes.is_none() {
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
    fn a_store_that_takes_no_writes_or_a_cache_that_is_away_is_degraded() {
        let of = |writes, is_cache_up| {
            status(&Health {
                store: Ok(()),
                writes,
                is_cache_up,
            })
        };
        assert_eq!(of(None, true), "ok");
        assert_eq!(of(Some(WriteFault::Full), true), "degraded");
        assert_eq!(of(Some(WriteFault::ReadOnly), true), "degraded");
        assert_eq!(of(None, false), "degraded");
    }
}
