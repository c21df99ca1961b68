//! What every route shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::Runner;
use quota_core::ports::{StoreError, WebhookReader};
use quota_service::billing::Billing;
use quota_service::{Codes, Engine};

use crate::meters::Meters;
use crate::outage::Outage;

/// How a database's schema stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaReport {
    /// Whether requests can be answered with it.
    pub is_enough: bool,
    /// How it stands, in words that follow "the database's schema".
    pub words: String,
}

/// Asks how the database's schema stands.
pub type SchemaCheck =
    Arc<dyn Fn() -> BoxFuture<'static, Result<SchemaReport, StoreError>> + Send + Sync>;

/// Gives the metrics of this process as Prometheus text.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What can be set on the HTTP side.
#[derive(Clone)]
pub struct ApiSettings {
    /// Largest body that is read, in bytes.
    pub body_bytes_max: usize,
    /// Requests that are at work at once; more are refused with 503.
    pub requests_max: usize,
    /// Longest time for one request, reading its body included.
    pub request_timeout: Duration,
    /// Whether `/metrics` is served without a key.
    pub metrics_open: bool,
    /// Where the metrics come from; none answers 404.
    pub metrics: Option<RenderMetrics>,
    /// Asked by `/readyz`; none where the schema is the program's own.
    pub schema: Option<SchemaCheck>,
    /// The payment provider that is connected; without one its routes answer 404.
    pub provider: Option<ConnectedProvider>,
    /// Codes that are redeemed; without them their routes answer 404.
    pub codes: Option<Codes>,
}

/// A payment provider that is connected.
#[derive(Clone)]
pub struct ConnectedProvider {
    /// What follows of what it says.
    pub billing: Billing,
    /// Reads what it sends.
    pub webhooks: Arc<dyn WebhookReader>,
    /// Origins that buyers may be sent to, `https://app.example.com`.
    pub return_origins: Vec<String>,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            body_bytes_max: 1024 * 1024,
            requests_max: 20_000,
            request_timeout: Duration::from_secs(30),
            metrics_open: false,
            metrics: None,
            schema: None,
            provider: None,
            codes: None,
        }
    }
}

/// What every route shares. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    jobs: Option<Runner>,
    settings: ApiSettings,
    meters: Meters,
    outage: Outage,
    is_draining: AtomicBool,
}

impl ApiState {
    /// Puts the parts together. Without a runner the routes of jobs answer 404. The metrics recorder, if there is one, must be installed before.
    pub fn new(engine: Engine, jobs: Option<Runner>, settings: ApiSettings) -> Self {
        let inner = Inner {
            engine,
            jobs,
            settings,
            meters: Meters::new(),
            outage: Outage::default(),
            is_draining: AtomicBool::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// From now on `/readyz` says 503 `draining`; requests are answered as before.
    pub fn drain(&self) {
        self.inner.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.inner.is_draining.load(Ordering::Relaxed)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn jobs(&self) -> Option<&Runner> {
        self.inner.jobs.as_ref()
    }

    pub(crate) fn settings(&self) -> &ApiSettings {
        &self.inner.settings
    }

    pub(crate) fn outage(&self) -> &Outage {
        &self.inner.outage
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.inner.meters
    }
}
