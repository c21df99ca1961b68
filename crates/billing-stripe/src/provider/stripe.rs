//! What carries the port out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quota_core::ids::ProviderCode;
use quota_core::payment::PaymentMode;

use crate::client::Client;
use crate::secret::Mode;

/// The code under which Stripe is known here.
const CODE: &str = "stripe";

/// The code under which Stripe is known here, `stripe`.
pub fn code() -> ProviderCode {
    match ProviderCode::new(CODE) {
        Ok(code) => code,
        Err(error) => unreachable!("the code is one: {error}"),
    }
}

/// Stripe as a payment provider.
#[derive(Clone, Debug)]
pub struct Stripe {
    pub(super) client: Client,
    pub(super) mode: PaymentMode,
    pub(super) code: ProviderCode,
    /// The account that the key is of, where it is not asked for.
    pub(super) account: Option<String>,
    /// Meters that were looked for, by the names of their events.
    pub(super) meters: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Stripe {
    /// Stripe, called by this client; `mode` is that of the client's key ([`ApiKey::mode`](crate::ApiKey::mode)).
    pub fn new(client: Client, mode: Mode) -> Self {
        Self {
            client,
            mode: mode.into(),
            code: code(),
            account: None,
            meters: Arc::default(),
        }
    }

    /// The same, for a key that may not ask which account it is of.
    #[must_use]
    pub fn of_account(self, account: Option<String>) -> Self {
        Self { account, ..self }
    }
}

impl From<Mode> for PaymentMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Test => Self::Test,
            Mode::Live => Self::Live,
        }
    }
}
