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
    let mut text = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    print_error(&text);
}
