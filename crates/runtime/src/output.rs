//! Printing. A reader that went away (`api keys list | head -1`) is no fault; `println!` would panic.

use std::error::Error;
use std::io::{ErrorKind, Write as _};

use crate::StartError;

/// Prints a text on standard output.
///
/// # Errors
/// [`StartError::Output`] when it cannot be written, such as on a full disk; not when the reader went away.
pub fn print(text: &str) -> Result<(), StartError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(StartError::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a line on standard error, as far as anybody reads it.
pub fn print_error(line: &str) {
    // There is nowhere left to report it.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Prints an error with its causes.
pub fn report(error: &dyn Error) {
    print_error(&format!("error: {}", chain(error)));
}

/// An error with its causes, in one line; of a cause that the error above it has said nothing is repeated.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str, #[source] Option<Box<Said>>);

    /// The driver of SQLite says what SQLite says, and has that as its cause.
    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let inner = Said("unable to open", None);
        let driver = Said("from the database: unable to open", Some(Box::new(inner)));
        let outer = Said("the file cannot be used", Some(Box::new(driver)));
        let wanted = "the file cannot be used: from the database: unable to open";
        assert_eq!(chain(&outer), wanted);
    }
}
