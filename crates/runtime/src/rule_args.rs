//! Settings of the rules: all processes of an installation must have the same.

use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use quota_service::EngineSettings;

use crate::parse_duration;

/// Shortest time for which keys are remembered (X1).
const KEYS_KEPT_MIN: Duration = Duration::from_hours(7 * 24);

/// Settings of the rules: all processes of an installation must have the same.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rules")]
pub struct RuleArgs {
    /// How long a past-due subscription stays in force.
    #[arg(long, env = "QUOTA_GRACE", hide_env_values = true, value_name = "TIME", default_value = "72h", value_parser = parse_duration)]
    pub grace: Duration,
    /// How long an idempotency key is remembered; at least 7d.
    #[arg(long, env = "QUOTA_KEYS_KEPT", hide_env_values = true, value_name = "TIME", default_value = "35d", value_parser = keys_kept)]
    pub keys_kept: Duration,
}

impl RuleArgs {
    /// Engine settings with these, and the defaults for everything else.
    pub fn engine_settings(&self) -> EngineSettings {
        EngineSettings {
            grace: span(self.grace),
            keys_kept: span(self.keys_kept),
            ..EngineSettings::default()
        }
    }
}

pub(crate) fn span(of: Duration) -> TimeDelta {
    TimeDelta::from_std(of).unwrap_or(TimeDelta::MAX)
}

fn keys_kept(text: &str) -> Result<Duration, String> {
    let span = parse_duration(text)?;
    if span >= KEYS_KEPT_MIN {
        return Ok(span);
    }
    Err("must be at least 7d: a repeated request gets its first answer for that long".to_owned())
}
