//! The payment provider: which one the settings name, and how it is called.

use std::sync::Arc;
use std::time::Duration;

use billing_stripe::client::{
    BaseUrl, CallCount, CallResult, Client, ClientParts, HttpSettings, LocalPace, Pace, SharedPace,
};
use billing_stripe::provider::{Stripe, StripeWebhooks};
use billing_stripe::{ApiKey, Mode, WebhookSecrets};
use clap::{ArgAction, Args};
use metrics::{counter, histogram};
use quota_core::ports::{Turns, WebhookReader};
use quota_service::Engine;
use quota_service::billing::{Billing, BillingParts, BillingSettings, MeterParts};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{OpenCache, OpenDatabase, StartError, secret, whole};

const KEY: &str = "STRIPE_API_KEY";
const SECRET: &str = "STRIPE_WEBHOOK_SECRET";

/// How Stripe is called, if it is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Stripe")]
pub struct ProviderArgs {
    /// A key of Stripe's API, `sk_…` or better a restricted one, `rk_…`; without it no payment provider is connected.
    #[arg(long, env = KEY, hide_env_values = true, value_name = "KEY", value_parser = secret)]
    pub stripe_api_key: Option<SecretString>,
    /// What Stripe signs webhooks with, `whsec_…`; while one takes over from another, both with a comma between them.
    #[arg(long, env = SECRET, hide_env_values = true, value_name = "SECRET", value_parser = secret)]
    pub stripe_webhook_secret: Option<SecretString>,
    /// Where Stripe's API is; plain http only on this machine.
    #[arg(
        long,
        env = "STRIPE_API_BASE",
        hide_env_values = true,
        value_name = "URL",
        default_value = "https://api.stripe.com"
    )]
    pub stripe_api_base: BaseUrl,
    /// The account that the key is of, `acct_…`; asked of Stripe when absent.
    #[arg(
        long,
        env = "STRIPE_ACCOUNT",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub stripe_account: Option<String>,
    /// Whether parts of Stripe's answers are asked for whole, so that fewer calls are made; a Stripe of before 2018 knows none of them.
    #[arg(long, env = "STRIPE_EXPAND", hide_env_values = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub stripe_expand: bool,
    /// Most calls a second of all processes that share a Redis or else a PostgreSQL, with a SQLite file of this process; Stripe takes 100,
    /// and 25 in a sandbox.
    #[arg(long, env = "STRIPE_CALLS_PER_SECOND", hide_env_values = true, value_name = "N", default_value_t = 20, value_parser = whole::<u32>(1..=100))]
    pub stripe_calls_per_second: u32,
    /// Origins that buyers may be sent to after a checkout, `https://app.example.com`, with commas between them.
    #[arg(long, env = "QUOTA_RETURN_ORIGINS", hide_env_values = true, value_name = "ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub return_origins: Vec<String>,
}

/// Scheme, host and port of an address, and nothing behind them.
fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(text.to_owned())
        }
        Some(_) | None => Err("must be an origin such as `https://app.example.com`".to_owned()),
    }
}

/// A payment provider that is connected.
pub struct OpenProvider {
    /// What follows of what it says.
    pub billing: Billing,
    mode: Mode,
}

impl ProviderArgs {
    /// Stripe as the settings say, if they name it, and the mode of the key.
    ///
    /// # Errors
    /// [`StartError::Setting`] when the key cannot be one.
    pub fn stripe(&self) -> Result<Option<(Stripe, Mode)>, StartError> {
        self.stripe_with(None)
    }

    /// The same, whose calls take turns with those of other processes.
    fn stripe_with(
        &self,
        turns: Option<Arc<dyn Turns>>,
    ) -> Result<Option<(Stripe, Mode)>, StartError> {
        let Some(key) = &self.stripe_api_key else {
            if self.stripe_webhook_secret.is_some() {
                let why = "is missing, and a webhook secret is there: set both or none".to_owned();
                return Err(StartError::Setting { setting: KEY, why });
            }
            return Ok(None);
        };
        let wrong = |why: String| StartError::Setting { setting: KEY, why };
        let key = ApiKey::new(key.expose_secret())
            .map_err(|error| wrong(format!("cannot be used: {error}")))?;
        let mode = key.mode().ok_or_else(|| {
            wrong("is of no mode: it has neither `_live_` nor `_test_` in it".to_owned())
        })?;
        let settings = HttpSettings {
            base_url: self.stripe_api_base.clone(),
            ..HttpSettings::new(key)
        };
        let parts = ClientParts {
            pace: self.pace(turns, mode),
            count: Arc::new(Counted),
            expands: self.stripe_expand,
            ..ClientParts::default()
        };
        let client = Client::open(&settings, parts)
            .map_err(|error| wrong(format!("cannot be used: {error}")))?;
        let stripe = Stripe::new(client, mode).of_account(self.stripe_account.clone());
        Ok(Some((stripe, mode)))
    }

    fn pace(&self, turns: Option<Arc<dyn Turns>>, mode: Mode) -> Arc<dyn Pace> {
        let bound = self.stripe_calls_per_second;
        let bucket = match mode {
            Mode::Live => "stripe:live",
            Mode::Test => "stripe:test",
        };
        match turns {
            Some(turns) => Arc::new(SharedPace::new(turns, bucket, bound)),
            None => Arc::new(LocalPace::per_second(bound)),
        }
    }

    /// Connects the provider, if the settings name one; it need not answer yet. Its calls take turns with those of other processes over
    /// the same Redis, or else over the same PostgreSQL.
    ///
    /// # Errors
    /// As [`ProviderArgs::stripe`].
    pub fn open(
        &self,
        engine: &Engine,
        (database, cache): (&OpenDatabase, &OpenCache),
    ) -> Result<Option<OpenProvider>, StartError> {
        let turns = cache.turns().or_else(|| database.turns());
        let Some((stripe, mode)) = self.stripe_with(turns)? else {
            return Ok(None);
        };
        let stripe = Arc::new(stripe);
        let meters = MeterParts {
            store: Arc::clone(&database.meters),
            provider: Arc::<Stripe>::clone(&stripe),
        };
        let parts = BillingParts {
            engine: engine.clone(),
            store: Arc::clone(&database.billing),
            provider: stripe,
        };
        let billing = Billing::new(parts, BillingSettings::default());
        billing.count_with(meters);
        // It ends with the first answer, or with the program.
        drop(billing.keep_connecting());
        drop(billing.keep_measuring());
        drop(billing.keep_topping_up());
        Ok(Some(OpenProvider { billing, mode }))
    }

    /// What reads the provider's webhooks.
    ///
    /// # Errors
    /// [`StartError::Setting`] when the secret is missing or cannot be one: anybody could tell of payments then.
    pub fn webhooks(&self, provider: &OpenProvider) -> Result<Arc<dyn WebhookReader>, StartError> {
        let wrong = |why: String| StartError::Setting {
            setting: SECRET,
            why,
        };
        let secrets = self
            .stripe_webhook_secret
            .as_ref()
            .ok_or_else(|| wrong(format!("is missing, and `{KEY}` is set: set both or none")))?;
        let secrets = WebhookSecrets::parse(secrets.expose_secret());
        let secrets = secrets.map_err(|error| wrong(format!("cannot be used: {error}")))?;
        Ok(Arc::new(StripeWebhooks::new(secrets, provider.mode)))
    }
}

/// Counts the calls of Stripe.
struct Counted;

impl CallCount for Counted {
    fn called(&self, kind: &'static str, result: CallResult, took: Duration) {
        counter!("stripe_calls_total", "call" => kind, "result" => result.label()).increment(1);
        histogram!("stripe_call_seconds", "call" => kind).record(took.as_secs_f64());
    }
}
