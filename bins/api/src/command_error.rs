//! Why a command of `api` failed; never shows a secret.

use std::path::PathBuf;
use std::process::ExitCode;

use http_api::FileFault;
use quota_core::answer::Rejection;
use quota_service::{EngineError, Entry, HeldEntry};
use runtime::StartError;
use uuid::Uuid;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the demo's data was refused")]
    Demo(#[source] Rejection),
    #[error("the demo's id is wrong: {0}")]
    DemoId(#[from] quota_core::ids::InvalidId),
    #[error("the demo's amount is wrong: {0}")]
    DemoAmount(#[from] quota_core::amount::InvalidAmount),
    #[error("the demo's quantity is wrong: {0}")]
    DemoQuantity(#[from] quota_core::quantity::InvalidQuantity),
    #[error(
        "the database has another catalog: demo data goes only into an empty one, and nothing was written; name another file, \
         such as `--sqlite-file demo.db`"
    )]
    OtherCatalog,
    #[error(
        "the database has a {0} that lives elsewhere than the demo's: nothing was written; name another file"
    )]
    OtherAccount(quota_core::ids::AccountId),
    #[error("nothing was applied here")]
    Provider(#[from] quota_core::ports::ProviderError),
    #[error("the server failed")]
    Server(#[source] std::io::Error),
    #[error("{}: cannot be read", file.display())]
    File {
        file: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("{}: {fault}", file.display())]
    Catalog { file: PathBuf, fault: FileFault },
    #[error("{}{}", mistakes.join("\n"), more(*left_out))]
    CatalogMistakes {
        mistakes: Vec<String>,
        left_out: usize,
    },
    #[error("{}: leaves out what accounts hold, so nothing was changed:{}", file.display(), flags(held))]
    StillHeld { file: PathBuf, held: Vec<HeldEntry> },
    #[error("{lines} {} refused: mend them and run the import again; what was carried out is not done twice", lines_were(*lines))]
    LinesRefused { lines: u64 },
    #[error(
        "the import broke off: all lines up to {done_to} are done or refused. Run it again: what was carried out is not done twice"
    )]
    ImportStopped {
        done_to: u64,
        #[source]
        cause: EngineError,
    },
    #[error("{}: the refused lines cannot be written", file.display())]
    RefusedFile {
        file: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("there is no API key with the id {0}; `api keys list` shows those that there are")]
    UnknownKey(Uuid),
}

fn more(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        more => format!("\nand {more} more"),
    }
}

fn lines_were(lines: u64) -> &'static str {
    if lines == 1 { "line was" } else { "lines were" }
}

/// Each entry on a line of its own, with the flag that removes it all the same.
fn flags(held: &[HeldEntry]) -> String {
    let lines = held.iter().map(|held| {
        let flag = match &held.entry {
            Entry::Feature(code) => format!("--removing-feature {code}"),
            Entry::Plan(code) => format!("--removing-plan {code}"),
            // Nobody holds one: it needs no flag.
            Entry::Pack(code) => format!("pack {code}"),
        };
        format!("\n  {held}; to remove it: {flag}")
    });
    lines.collect()
}

impl From<EngineError> for CommandError {
    fn from(error: EngineError) -> Self {
        Self::Start(error.into())
    }
}

impl CommandError {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Start(error) => error.exit_code(),
            Self::Demo(_)
            | Self::DemoId(_)
            | Self::DemoAmount(_)
            | Self::DemoQuantity(_)
            | Self::OtherCatalog
            | Self::OtherAccount(_)
            | Self::Server(_)
            | Self::File { .. }
            | Self::Catalog { .. }
            | Self::CatalogMistakes { .. }
            | Self::StillHeld { .. }
            | Self::Provider(_)
            | Self::LinesRefused { .. }
            | Self::ImportStopped { .. }
            | Self::RefusedFile { .. }
            | Self::UnknownKey(_) => ExitCode::FAILURE,
        }
    }
}
