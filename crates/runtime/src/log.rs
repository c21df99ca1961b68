//! The log: one line for each event, on standard error.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How much is logged, and how it looks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// How log lines look.
    #[arg(long, env = "QUOTA_LOG_FORMAT", hide_env_values = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// The lowest level that is logged; `debug` includes every request.
    #[arg(long, env = "QUOTA_LOG_LEVEL", hide_env_values = true, value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The lowest level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words of the field")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogArgs {
    /// Sets the log up for this process, once.
    pub fn init(&self) {
        let level = match self.log_level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        };
        // What the libraries log of statements and connections helps no operator.
        let filter = EnvFilter::new(format!(
            "{level},sqlx=warn,hyper=warn,hyper_util=warn,tower=warn"
        ));
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            // It would print to the standard error that has just failed, and panic.
            .log_internal_errors(false);
        let outcome = match self.log_format {
            LogFormat::Text => lines.with_ansi(false).finish().try_init(),
            LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
        };
        if outcome.is_err() {
            crate::print_error("the log was set up before");
        }
    }
}
