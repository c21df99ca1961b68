//! What is stored, byte for byte, and that what was stored before is still read: see `golden/README.md`.
#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

mod stored;

use std::fs;
use std::path::{Path, PathBuf};

use quota_core::change::Change;
use quota_core::command::Command;
use quota_core::operation::{Entry, ReadEntries, WrittenEntries};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Documents of one kind, each by its name.
pub type Documents<T> = Vec<(&'static str, T)>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Files of this kind from earlier times.
fn older(kind: &str) -> Vec<PathBuf> {
    let folders = fs::read_dir(folder().join("older")).expect("the older formats");
    let files = folders.map(|folder| {
        let folder = folder.expect("a folder").path();
        folder.join(format!("{kind}.txt"))
    });
    files.filter(|file| file.exists()).collect()
}

/// Members that are no longer kept: what was brought along from another home is told from shares now.
const FORGOTTEN: [&str; 1] = ["i"];

/// Whether a document says all that an older one said, but for what is forgotten; it may say more.
fn says(today: &Value, before: &Value) -> bool {
    match (today, before) {
        (Value::Object(today), Value::Object(before)) => before
            .iter()
            .filter(|(name, _)| !FORGOTTEN.contains(&name.as_str()))
            .all(|(name, before)| today.get(name).is_some_and(|today| says(today, before))),
        (Value::Array(today), Value::Array(before)) => {
            let mut pairs = today.iter().zip(before);
            today.len() == before.len() && pairs.all(|(today, before)| says(today, before))
        }
        (today, before) => today == before,
    }
}

/// Compares documents with the golden file of their kind, and reads the older ones.
fn check<T>(kind: &str, documents: &Documents<T>)
where
    T: Serialize + DeserializeOwned,
{
    let text = |document: &T| serde_json::to_string(document).expect("plain data");
    let line = |(name, document): &(&str, T)| format!("{name} {}\n", text(document));
    let written: String = documents.iter().map(line).collect();
    let kept = read(&folder().join(format!("{kind}.txt")));
    assert_eq!(
        written, kept,
        "{kind}: the stored form is another than in the golden file"
    );
    for file in older(kind) {
        for line in read(&file).lines() {
            let (name, json) = line.split_once(' ').expect("a name and a document");
            let place = format!("{}: {name}", file.display());
            let stored: T =
                serde_json::from_str(json).unwrap_or_else(|error| panic!("{place}: {error}"));
            let today = serde_json::to_value(&stored).expect("plain data");
            let before = serde_json::from_str(json).expect("a document");
            assert!(
                says(&today, &before),
                "{place}: {before} is read as {today}"
            );
        }
    }
}

#[test]
fn books_are_stored_as_ever() {
    check("books", &stored::books());
}

#[test]
fn what_meters_are_told_is_stored_as_ever() {
    check("meter_periods", &stored::meter_periods());
    check("meter_entries", &stored::meter_entries());
    check("meter_states", &stored::meter_states());
}

#[test]
fn terms_are_stored_as_ever() {
    check("terms", &stored::terms());
}

#[test]
fn entries_are_stored_as_ever() {
    check("entries", &stored::entries());
}

/// Of a row's entries, what the row says already is not written; entries from before are read alike.
#[test]
fn entries_of_a_row_are_stored_as_ever() {
    let (operation, home) = stored::booked();
    let written = serde_json::to_string(&WrittenEntries::of(&operation, &home));
    let written = written.expect("plain data");
    let lines = written.replace("},{", "},\n{");
    assert_eq!(
        format!("{lines}\n"),
        read(&folder().join("row_entries.txt"))
    );
    let whole = serde_json::to_string(&operation.entries).expect("plain data");
    for text in [written, whole] {
        let entries: ReadEntries = serde_json::from_str(&text).expect("entries of a row");
        let entries = entries.of(&operation.account, &home);
        assert_eq!(entries, operation.entries, "{text}");
    }
    for file in older("entries") {
        for line in read(&file).lines() {
            let (name, json) = line.split_once(' ').expect("a name and a document");
            let entry: Entry = serde_json::from_str(json).expect("an older entry");
            let entries: ReadEntries = serde_json::from_str(&format!("[{json}]")).expect(name);
            let entries = entries.of(&operation.account, &home);
            assert_eq!(entries, [entry], "{}: {name}", file.display());
        }
    }
}

#[test]
fn answers_are_stored_as_ever() {
    check("answers", &stored::answers());
}

#[test]
fn reservations_are_stored_as_ever() {
    check("reservations", &stored::reservations());
}

#[test]
fn events_are_stored_as_ever() {
    check("events", &stored::events());
}

#[test]
fn catalogs_are_stored_as_ever() {
    check("catalogs", &stored::catalogs());
}

#[test]
fn payments_are_stored_as_ever() {
    check("payment_lines", &stored::payment_lines());
    check("payment_refunds", &stored::payment_refunds());
    check("payment_disputes", &stored::payment_disputes());
}

#[test]
fn what_codes_give_is_stored_as_ever() {
    check("code_gifts", &stored::code_gifts());
}

#[test]
fn what_providers_tell_is_stored_as_ever() {
    check("sync_progress", &stored::sync_progress());
    check("provider_objects", &stored::provider_objects());
    check("event_states", &stored::event_states());
    check("problem_kinds", &stored::problem_kinds());
}

#[test]
fn origins_are_stored_as_ever() {
    check("origins", &stored::origins());
}

#[test]
fn the_words_of_changes_reasons_and_kinds_are_as_ever() {
    check(
        "changes",
        &Change::ALL.map(|change| (change.as_str(), change)).to_vec(),
    );
    check("reasons", &stored::reasons());
    check("kinds", &stored::kinds());
}

/// X1: what is hashed for a key.
#[test]
fn commands_are_hashed_as_ever() {
    check("commands", &stored::commands());
}

/// X1: a member that is absent or has its default is not hashed, so a command may learn to say more without changing
/// the hash of what says no more than before.
#[test]
fn what_a_command_does_not_say_is_not_hashed() {
    for (name, command) in stored::least_commands() {
        let json = serde_json::to_value(&command).expect("plain data");
        let members: Vec<&str> = json
            .as_object()
            .expect("a command is an object")
            .keys()
            .map(String::as_str)
            .collect();
        let mut wanted = vec!["command"];
        wanted.extend(required(&command));
        wanted.sort_unstable();
        assert_eq!(members, wanted, "{name}");
        let read: Command = serde_json::from_value(json).expect("the least that it can say");
        assert_eq!(read, command, "{name}");
    }
}

/// The members that a command cannot do without.
fn required(command: &Command) -> &'static [&'static str] {
    match command {
        Command::Consume(_) | Command::Track(_) => &["items"],
        Command::Reserve(_) => &["feature", "amount", "ttl_seconds"],
        Command::Commit(_) => &["reservation", "actual"],
        Command::Release(_) => &["reservation"],
        Command::Extend(_) => &["reservation", "ttl_seconds"],
        Command::Refund(_) => &["operation"],
        Command::ReleaseCapacity(_) => &["feature", "amount"],
        Command::PutAccount(_) => &["presence", "spec"],
        Command::SetOverride(_) | Command::SetMemberLimit(_) => &["feature", "limit"],
        Command::SetGiven(_) => &["feature", "value"],
        Command::ClearOverride(_) | Command::ClearMemberLimit(_) => &["feature"],
        Command::PutToken(_) => &["token", "presence"],
        Command::RevokeToken(_) => &["token"],
        Command::Subscribe(_) | Command::ChangePlan(_) | Command::EndAddon(_) => &["plan"],
        Command::GivePlan(_) => &["plan", "days"],
        Command::SetStatus(_) => &["status"],
        Command::SetSeats(_) => &["seats"],
        Command::SetAddon(_) => &["plan", "quantity"],
        Command::GrantCredits(_) => &["grant", "credits"],
        Command::TakeBackCredits(_) => &["grant"],
        Command::CreditPurchase(_) => &["line", "credits", "money", "currency", "fetched_at"],
        Command::SetPaymentFacts(_) => &["provider", "payment", "facts", "fetched_at"],
        Command::SyncSubscription(_) => &["provider", "subscriptions", "fetched_at"],
        Command::GiveBoost(_) => &["boost", "feature", "amount"],
        Command::TakeBackBoost(_) => &["boost"],
        Command::SetSpendCap(_) => &["amount"],
        Command::SetTopUp(_) => &["pack", "below", "most_per_month"],
        Command::EndTopUp(_) => &["top_up", "pack", "opened_at", "end"],
        Command::TellExpiry(_) => &["days"],
        Command::Reset(_)
        | Command::Renew(_)
        | Command::Cancel(_)
        | Command::Resume
        | Command::ClearSpendCap(_)
        | Command::ClearTopUp
        | Command::ForgiveDebt(_)
        | Command::Sweep
        | Command::ExpireSubscription
        | Command::CloseWindows(_) => &[],
    }
}
