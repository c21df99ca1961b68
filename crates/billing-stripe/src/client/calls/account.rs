//! The account that the key is of.

use serde::Deserialize;

use super::Nothing;
use crate::client::error::StripeError;
use crate::client::send::{Call, Client};

/// An account with Stripe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: String,
}

impl Client {
    /// Our own account: what events of another one are told apart by, and the cheapest way to see whether the key lives.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn account(&self) -> Result<Account, StripeError> {
        let call = Call::get("account", "/v1/account", &Nothing {});
        self.call(&call).await
    }
}
