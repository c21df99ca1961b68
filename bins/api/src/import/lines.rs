//! The lines of a file or of standard input, read one at a time by a thread of their own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use tokio::sync::mpsc;

/// Longest line, in bytes: what goes on beyond it is passed over and not kept.
pub(crate) const BYTES_MAX: usize = 65_536;
/// What stands for standard input.
const STANDARD_INPUT: &str = "-";
/// Lines that are read before somebody takes them.
const AHEAD: usize = 16;

/// One line, without its end.
pub(crate) struct RawLine {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) text: Vec<u8>,
    /// Whether it goes on beyond [`BYTES_MAX`], where `text` ends.
    pub(crate) is_too_long: bool,
}

/// The lines of a file, in their order.
pub(crate) type Lines = mpsc::Receiver<std::io::Result<RawLine>>;

/// The file's name, as reasons tell it.
pub(crate) fn name_of(file: &Path) -> String {
    if file.as_os_str() == STANDARD_INPUT {
        return "standard input".to_owned();
    }
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Opens the file and begins to read it.
pub(crate) fn open(file: &Path) -> std::io::Result<Lines> {
    let from: Box<dyn BufRead + Send> = if file.as_os_str() == STANDARD_INPUT {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file)?))
    };
    let (tell, lines) = mpsc::channel(AHEAD);
    // A thread that waits for standard input does not keep the process from ending.
    std::thread::spawn(move || read_all(from, &tell));
    Ok(lines)
}

fn read_all(mut from: Box<dyn BufRead + Send>, tell: &mpsc::Sender<std::io::Result<RawLine>>) {
    for number in 1.. {
        let line = match next(&mut from, number) {
            Ok(None) => return,
            Ok(Some(line)) => Ok(line),
            Err(error) => Err(error),
        };
        let is_last = line.is_err();
        if tell.blocking_send(line).is_err() || is_last {
            return;
        }
    }
}

/// The next line; none at the end.
fn next(from: &mut impl BufRead, number: u64) -> std::io::Result<Option<RawLine>> {
    let (mut text, mut is_too_long, mut is_any) = (Vec::new(), false, false);
    loop {
        let read = from.fill_buf()?;
        if read.is_empty() {
            break;
        }
        is_any = true;
        let end = read.iter().position(|byte| *byte == b'\n');
        let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
        let room = BYTES_MAX.saturating_sub(text.len());
        is_too_long |= room < part.len();
        text.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
        let taken = part.len() + usize::from(end.is_some());
        from.consume(taken);
        if end.is_some() {
            break;
        }
    }
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    Ok(is_any.then_some(RawLine {
        number,
        text,
        is_too_long,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line without an end is a line, an empty one counts, and of one that is too long the beginning is kept.
    #[test]
    fn lines_are_counted_and_bounded() {
        let long = "x".repeat(BYTES_MAX + 9);
        let file = format!("one\r\n\n{long}\nfour");
        let mut from = BufReader::with_capacity(7, file.as_bytes());
        let mut read = Vec::new();
        while let Some(line) = next(&mut from, 1).expect("it is read") {
            read.push((line.text.len(), line.is_too_long));
        }
        assert_eq!(
            read,
            [(3, false), (0, false), (BYTES_MAX, true), (4, false)]
        );
    }
}
