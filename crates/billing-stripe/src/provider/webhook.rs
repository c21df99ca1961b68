//! What Stripe sends: believed by its signature, read as far as it is believed.

use chrono::{DateTime, Utc};
use quota_core::ids::ProviderCode;
use quota_core::payment::PaymentMode;
use quota_core::ports::{Webhook, WebhookReader, WebhookRefusal};

use super::event::event_of;
use super::stripe::code;
use crate::read::foreign_account;
use crate::secret::{Mode, WebhookSecrets};
use crate::shapes::Event;
use crate::signature::verify;

/// Reads Stripe's webhooks, of one mode.
#[derive(Clone, Debug)]
pub struct StripeWebhooks {
    secrets: WebhookSecrets,
    mode: PaymentMode,
    code: ProviderCode,
}

impl StripeWebhooks {
    /// Those that are signed with one of these secrets, of the mode of the key that the API is called with.
    pub fn new(secrets: WebhookSecrets, mode: Mode) -> Self {
        Self {
            secrets,
            mode: mode.into(),
            code: code(),
        }
    }
}

impl WebhookReader for StripeWebhooks {
    fn signature_header(&self) -> &'static str {
        "stripe-signature"
    }

    fn read(
        &self,
        signatures: &[&[u8]],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Webhook, WebhookRefusal> {
        let not_signed =
            |error: crate::SignatureError| WebhookRefusal::NotSigned(error.to_string());
        verify(signatures, body, &self.secrets, now).map_err(not_signed)?;
        let unreadable =
            |why: String| WebhookRefusal::Unreadable(format!("this is no event: {why}"));
        let told: Event =
            serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        let event = event_of(&self.code, &told, now)
            .ok_or_else(|| unreadable("it has no id, no kind or no mode".to_owned()))?;
        if event.id.mode != self.mode {
            return Err(WebhookRefusal::OtherMode(event.id.mode));
        }
        let account = foreign_account(&told).map(str::to_owned);
        Ok(Webhook { event, account })
    }
}
