//! `api import`: the built binary brings a whole file over, once, and nothing of a second run or a dry run changes anything.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use quota_core::amount::Limit;
use quota_core::home::Account;
use quota_core::ids::{AccountId, IdempotencyKey};
use quota_core::ports::{
    AccountPage, AccountRow, BillingStore as _, LedgerPage, Lists as _, PaymentPage,
    PaymentStore as _,
};
use serde_json::Value;
use storage_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;

/// The catalogs that the examples use, one after another.
const CATALOGS: [&str; 3] = [
    include_str!("../../../../crates/quota-core/catalogs/article-platform.toml"),
    include_str!("../../../../crates/quota-core/catalogs/llm-gateway.toml"),
    include_str!("../../../../crates/quota-core/catalogs/try-on-shop.toml"),
];
/// The file that docs/IMPORT.md explains.
const EXAMPLE: &str = include_str!("../../../../docs/import-example.ndjson");

/// A folder with a database that has a catalog and no account.
pub(crate) struct Place {
    folder: TempDir,
    /// Where the database is; a file in the folder when absent.
    url: Option<String>,
}

/// What a run said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) complained: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            said: text(&output.stdout),
            complained: text(&output.stderr),
        }
    }

    /// New, changed, unchanged, refused: of a type of line, or of all.
    pub(crate) fn row(&self, name: &str) -> [u64; 4] {
        let mut rows = self.said.lines();
        let row = rows.find_map(|row| row.strip_prefix(name)?.strip_prefix(' '));
        let row = row.unwrap_or_else(|| panic!("{name} in {} {}", self.said, self.complained));
        let cells: Vec<u64> = row
            .split_whitespace()
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        cells.try_into().expect("four cells")
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::at(None)
    }

    pub(crate) fn at(url: Option<String>) -> Self {
        let place = Self {
            folder: tempfile::tempdir().expect("a folder"),
            url,
        };
        place.write("plans.toml", &CATALOGS.concat());
        assert_eq!(place.run(&["migrate"]).code, Some(0));
        let applied = place.run(&["catalog", "apply", "plans.toml"]);
        assert_eq!(applied.code, Some(0), "{}", applied.complained);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("it is written");
    }

    pub(crate) fn api(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        command.env_clear().current_dir(self.folder.path());
        command.envs(self.url.iter().map(|url| ("DATABASE_URL", url)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.api().args(arguments).output();
        Ran::of(&output.expect("the binary runs"))
    }

    pub(crate) fn import(&self, text: &str, arguments: &[&str]) -> Ran {
        self.write("old.ndjson", text);
        let all = ["import", "old.ndjson"];
        let all: Vec<&str> = all.iter().chain(arguments).copied().collect();
        self.run(&all)
    }

    async fn open(&self) -> SqliteStore {
        let settings = SqliteSettings::patient();
        let store = SqliteStore::open(&self.path("quota.db"), &settings).await;
        store.expect("SQLite opens")
    }

    async fn rows(store: &SqliteStore) -> Vec<AccountRow> {
        let page = AccountPage {
            kind: None,
            org: None,
            due_before: None,
            after: None,
            limit: 10_000,
        };
        store.accounts(&page).await.expect("accounts are read")
    }

    /// Everything that is kept of every account, as text.
    pub(crate) async fn everything(&self) -> String {
        let store = self.open().await;
        let mut text = String::new();
        for row in Self::rows(&store).await {
            let ledger = LedgerPage {
                home: row.home.clone(),
                account: row.id.clone(),
                members: true,
                before: None,
                limit: 10_000,
            };
            let payments = PaymentPage {
                account: row.id.clone(),
                after: None,
                limit: 1_000,
            };
            let ledger = store.ledger(&ledger).await.expect("the ledger");
            let payments = store.payments(&payments).await.expect("payments");
            let customers = store.customers_of(&row.id).await.expect("customers");
            let parts = (row, ledger, payments, customers);
            writeln!(text, "{parts:?}").expect("a string takes it");
        }
        store.close().await;
        text
    }

    /// What every account has, without ids of operations and instants; and how many operations its ledger has.
    pub(crate) async fn standing(&self) -> BTreeMap<String, String> {
        let store = self.open().await;
        let mut standing = BTreeMap::new();
        for row in Self::rows(&store).await {
            let page = LedgerPage {
                home: row.home.clone(),
                account: row.id.clone(),
                members: false,
                before: None,
                limit: 10_000,
            };
            let operations = store.ledger(&page).await.expect("the ledger").len();
            let account = &row.account;
            let balances: Vec<(Limit, u64, u64)> = account
                .books
                .balances
                .iter()
                .map(|balance| (balance.granted, balance.used, balance.overage))
                .collect();
            let tokens: Vec<_> = account.terms.tokens.keys().collect();
            let has = format!(
                "{:?} {balances:?} {tokens:?} {operations} operations",
                account.books.lifetime
            );
            standing.insert(row.id.to_string(), has);
        }
        store.close().await;
        standing
    }

    async fn account(&self, id: &str) -> Account {
        let store = self.open().await;
        let rows = Self::rows(&store).await;
        store.close().await;
        let found = rows.into_iter().find(|row| row.id.as_str() == id);
        found.expect("it is there").account
    }
}

/// The file of the page is brought over whole: every type of line is in it. A second run changes nothing, under another name
/// of the file and with its lines in other places neither.
#[tokio::test]
async fn the_file_of_the_page_is_brought_over_once() {
    let place = Place::new();
    let first = place.import(EXAMPLE, &[]);
    assert_eq!(first.code, Some(0), "{}{}", first.said, first.complained);
    let lines = u64::try_from(EXAMPLE.lines().count()).expect("a number");
    assert_eq!(first.row("all"), [lines, 0, 0, 0], "{}", first.said);
    for kind in [
        "org",
        "user",
        "token",
        "customer",
        "subscription",
        "override",
        "usage",
        "credits",
        "payment",
    ] {
        assert!(first.row(kind)[0] > 0, "{kind}: {}", first.said);
    }
    let before = place.everything().await;
    let again = place.import(EXAMPLE, &[]);
    assert_eq!(again.row("all"), [0, 0, lines, 0], "{}", again.complained);
    assert_eq!(again.code, Some(0));
    let moved = format!("\n\n{EXAMPLE}");
    place.write("other.ndjson", &moved);
    let other = place.run(&["import", "other.ndjson"]);
    assert_eq!(other.row("all"), [0, 0, lines, 0], "{}", other.complained);
    assert_eq!(place.everything().await, before);
}

/// U6, C3, S3: members of an org are unlimited and their org is charged; what was stored for ever is bound to the subscription
/// now. Every change says whose it is and where it came from.
#[tokio::test]
async fn u6_members_become_unlimited_and_what_was_for_ever_is_bound_to_the_subscription() {
    let place = Place::new();
    assert_eq!(place.import(EXAMPLE, &[]).code, Some(0));
    let ada = place.account("user:ada").await;
    assert!(ada.terms.unlimited && ada.terms.unlimited_by_default);
    assert_eq!(ada.books.lifetime.values().sum::<u64>(), 1_200_000);
    let acme = place.account("org:acme").await;
    assert_eq!(acme.books.lifetime.values().sum::<u64>(), 1_500_000);
    let bob = place.account("user:bob").await;
    assert!(!bob.terms.unlimited);
    assert_eq!(bob.terms.overrides.len(), 2, "limits of his own");
    let (out, store) = (place.run(&["import", "old.ndjson"]), place.open().await);
    assert_eq!(out.code, Some(0));
    for row in Place::rows(&store).await {
        let page = LedgerPage {
            home: row.home.clone(),
            account: row.id.clone(),
            members: false,
            before: None,
            limit: 1_000,
        };
        for operation in store.ledger(&page).await.expect("the ledger") {
            assert_eq!(operation.origin.actor.as_deref(), Some("import"));
            let reason = operation.origin.reason.expect("a reason");
            assert!(
                reason.starts_with("import of old.ndjson, line "),
                "{reason}"
            );
            assert!(
                operation
                    .key
                    .is_some_and(|key: IdempotencyKey| key.as_str().starts_with("import:"))
            );
        }
    }
    store.close().await;
}

/// A dry run says the same and changes nothing, before and after the real one.
#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let place = Place::new();
    let wrong = r#"{"type": "subscription", "account": "user:carol", "plan": "gold"}"#;
    let file = format!("{EXAMPLE}{wrong}\n");
    let dry = place.import(&file, &["--dry-run"]);
    assert_eq!(dry.code, Some(1));
    assert_eq!(place.everything().await, "", "no account was made");
    let real = place.import(&file, &[]);
    let table = |ran: &Ran| ran.said.replace("a dry run: nothing was changed\n", "");
    assert_eq!(table(&dry), table(&real), "{}", dry.complained);
    assert_eq!(dry.complained, real.complained);
    let before = place.everything().await;
    let again = place.import(&file, &["--dry-run"]);
    let lines = u64::try_from(EXAMPLE.lines().count()).expect("a number");
    assert_eq!(again.row("all"), [0, 0, lines, 1], "{}", again.complained);
    assert_eq!(place.everything().await, before);
}

/// Lines that were passed over are not looked at.
#[tokio::test]
async fn lines_before_the_one_that_is_named_are_passed_over() {
    let place = Place::new();
    let file = "no JSON\n{\"type\": \"user\", \"id\": \"ann\"}\n";
    let ran = place.import(file, &["--after-line", "1"]);
    assert_eq!(ran.row("all"), [1, 0, 0, 0], "{}", ran.complained);
}

/// P7: a payment that was brought over is found by each of its ids, and credits nothing.
#[tokio::test]
async fn p7_a_payment_that_was_brought_over_credits_nothing_and_keeps_its_ids() {
    let place = Place::new();
    assert_eq!(place.import(EXAMPLE, &[]).code, Some(0));
    let stolen = r#"{"type":"user","id":"eve"}
{"type":"payment","account":"user:eve","provider":"stripe","ref":"ch_3Old","amount":490,"currency":"eur","paid_at":"2026-03-01T10:00:00Z"}
"#;
    let ran = place.import(stolen, &["--refused", "refused.ndjson"]);
    assert_eq!(ran.row("payment"), [0, 0, 0, 1], "{}", ran.complained);
    assert!(
        ran.complained.contains("of another account"),
        "{}",
        ran.complained
    );
    let refused = std::fs::read_to_string(place.path("refused.ndjson")).expect("it is there");
    let refused: Value = serde_json::from_str(&refused).expect("one line of JSON");
    assert_eq!(refused["line"], 2);
    assert_eq!(refused["was"], stolen.lines().nth(1).expect("two lines"));
    let carol = place.account("user:carol").await;
    let granted: Vec<Limit> = carol
        .books
        .balances
        .iter()
        .map(|balance| balance.granted)
        .collect();
    let left = [Limit::Of(12)];
    assert_eq!(granted, left, "and nothing for what she paid");
    let id = AccountId::parse("user:carol").expect("a literal id");
    let store = place.open().await;
    let page = PaymentPage {
        account: id,
        after: None,
        limit: 10,
    };
    assert_eq!(store.payments(&page).await.expect("payments").len(), 1);
    store.close().await;
}
