//! The price lists of docs/PLANS.md: each catalog is applied as it stands there, and its story is told row by row.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};
use reqwest::Method;
use serde_json::Value;

use crate::api_under_test::Api;
use crate::stores::on_every_store;

/// Read when the test runs, so that a change of the page needs no new build.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PLANS.md");
    std::fs::read_to_string(path).expect("the page")
});
const HEAD: &str = "| at | what happens | call | answer |\n| --- | --- | --- | --- |\n";

/// Makes a test of each price list on every store, and one that the page has no other.
macro_rules! price_lists {
    ($($name:ident: $title:literal),* $(,)?) => {
        $(async fn $name(api: Api) {
            tell(&api, $title).await;
        })*
        on_every_store!($($name),*);

        #[test]
        fn every_price_list_of_the_page_is_told() {
            let titles: Vec<&str> = sections().map(|(title, _)| title).collect();
            assert_eq!(titles, [$($title),*]);
            let known: Vec<String> = titles.into_iter().map(anchor).collect();
            let parts = PAGE.split("](#").skip(1);
            let links = parts.filter_map(|part| part.split(')').next());
            let lost: Vec<&str> = links.filter(|link| !known.iter().any(|of| of == link)).collect();
            assert!(lost.is_empty(), "no such heading: {lost:?}");
        }
    };
}

price_lists!(
    chat_with_two_windows: "Chat: windows of five hours and of a week",
    editor_with_on_demand: "Code editor: included requests, then on demand up to a cap",
    api_credits_that_expire: "API credits: prepaid, in micro-units, with expiry",
    workspace_with_seats: "Workspace: seats and a shared pool",
    hosting_with_overage: "Hosting: included gigabytes and overage",
    articles_with_an_add_on_and_a_boost: "Article platform: an add-on and a boost",
    reports_free_tried_and_paid: "Reports: free, then a trial, then paid",
    school_by_the_year: "School: licences by the year",
    back_office_with_flags: "Back office: flags and settings only",
    family_of_several: "Family: one plan for several people",
    team_chat_of_each_member: "Team chat: windows of its own for each member",
    mobile_data_that_goes_over: "Mobile data: what is left goes over",
    shop_with_free_tries: "Try-on shop: free tries, packs, and a plan",
);

/// One call and what its answer must have.
struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    status: u16,
    answer: Value,
}

/// One row of a story.
struct Row<'a> {
    at: &'a str,
    said: &'a str,
    calls: Vec<Call>,
    /// Calls and answers as they are written.
    written: String,
}

/// The price lists: title and text.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = PAGE.split("\n## ").skip(1);
    let titled = parts.filter_map(|part| part.split_once('\n'));
    titled.filter(|(_, text)| text.contains("```toml"))
}

/// How a link names a heading.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept
        .chars()
        .filter(|of| of.is_alphanumeric() || *of == ' ' || *of == '-');
    kept.map(|of| if of == ' ' { '-' } else { of }).collect()
}

/// Applies the catalog of a price list, and carries out its story.
async fn tell(api: &Api, title: &str) {
    let found = sections().find(|(of, _)| *of == title);
    let (_, text) = found.expect("the page has the price list");
    let (sold, rest) = text.split_once("```toml\n").expect("a catalog");
    let (catalog, rest) = rest.split_once("```").expect("an end of the catalog");
    let (_, story) = rest.split_once(HEAD).expect("a story");
    let rows: Vec<Row> = story
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(row)
        .collect();
    assert!(rows.len() > 3, "{title}: a story has some rows");
    let mut wrong = unknown_numbers(sold, catalog);
    let (mut now, mut last) = (None, String::new());
    for row in rows {
        let at = instant(row.at, now);
        assert!(now <= Some(at), "{}: time goes on", row.said);
        if now.is_none() {
            api.clock.set(at);
            api.apply(catalog).await;
        }
        now = Some(at);
        api.clock.set(at);
        let place = format!("{} {}", row.at, row.said);
        let faults = carried_out(api, &row, &mut last).await;
        wrong.extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
    }
    assert!(wrong.is_empty(), "{title}\n{}", wrong.join("\n"));
}

/// What is wrong with a row. `{id}` in a path is the id of the last answer that had one.
async fn carried_out(api: &Api, row: &Row<'_>, last: &mut String) -> Vec<String> {
    let mut wrong = unknown_numbers(row.said, &row.written);
    for call in &row.calls {
        let body = call.body.as_ref().map(Value::to_string);
        let headers = [("content-type", "application/json")];
        let headers = &headers[..usize::from(body.is_some())];
        let bytes = body.unwrap_or_default().into_bytes();
        let path = call.path.replace("{id}", last);
        let came = api.send(call.method.clone(), &path, headers, bytes).await;
        if let Some(id) = came.body["id"].as_str() {
            id.clone_into(last);
        }
        if came.status != call.status {
            wrong.push(format!("{path}: {} {}", came.status, came.text));
        }
        if let Err(fault) = holds(&call.answer, &came.body) {
            wrong.push(format!("{path}: {fault} in {}", came.text));
        }
    }
    wrong
}

fn row(line: &str) -> Row<'_> {
    let fields: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [at, said, calls, answers] = fields[..] else {
        panic!("four cells: {line}");
    };
    let written = format!("{at} {calls} {answers}");
    let (calls, answers) = (calls.split("<br>"), answers.split("<br>"));
    assert_eq!(calls.clone().count(), answers.clone().count(), "{line}");
    let calls = calls.zip(answers).map(call).collect();
    Row {
        at,
        said,
        calls,
        written,
    }
}

/// A call such as `` `PUT /v1/users/ann {}` `` with an answer such as `` 201 `{"changed": "user_created"}` ``.
fn call((call, answer): (&str, &str)) -> Call {
    let asked = call.trim().trim_matches('`');
    let (method, rest) = asked.split_once(' ').expect("a method and a path");
    let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let (status, has) = answer.trim().split_once(' ').unwrap_or((answer.trim(), ""));
    let json = |text: &str| {
        let text = text.trim().trim_matches('`');
        let read = (!text.is_empty()).then(|| serde_json::from_str(text));
        read.transpose()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    Call {
        method: method.parse().expect("a method"),
        path: path.to_owned(),
        body: json(body),
        status: status.parse().expect("a status"),
        answer: json(has).unwrap_or(Value::Null),
    }
}

/// The instant of a row: `Mon 7 Dec 2026 09:00`, `09:00` of the same day, or the same as before. In UTC.
fn instant(text: &str, before: Option<DateTime<Utc>>) -> DateTime<Utc> {
    if text.is_empty() {
        return before.expect("the first row says when it is");
    }
    let at = if let Ok(time) = NaiveTime::parse_from_str(text, "%H:%M") {
        let before = before.expect("the first row has a day");
        before.date_naive().and_time(time)
    } else {
        let read = NaiveDateTime::parse_from_str(text, "%a %d %b %Y %H:%M");
        read.unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    at.and_utc()
}

/// Whether the answer has what is wanted: of an object these members, of a list each of its items, else the same.
pub(crate) fn holds(wanted: &Value, came: &Value) -> Result<(), String> {
    match (wanted, came) {
        (Value::Null, _) => Ok(()),
        (Value::Object(members), Value::Object(_)) => members.iter().try_for_each(|(name, of)| {
            holds(of, &came[name]).map_err(|fault| format!("{name}: {fault}"))
        }),
        (Value::Array(items), Value::Array(of)) if items.len() == of.len() => items
            .iter()
            .zip(of)
            .try_for_each(|(item, of)| holds(item, of)),
        _ if wanted == came => Ok(()),
        _ => Err(format!("{wanted} is not {came}")),
    }
}

/// What a text for readers says in numbers and the text for machines does not: a number may have other zeros at its end there, as
/// 2 GB are 2000000000 bytes and 0.40 euros 40 cents.
fn unknown_numbers(said: &str, written: &str) -> Vec<String> {
    let written = numbers(written);
    let missing = |number: &String| !written.contains(number);
    let told = numbers(said).into_iter().filter(missing);
    told.map(|number| format!("the number {number} is in the text alone"))
        .collect()
}

/// The digits of each number, without zeros around them.
fn numbers(text: &str) -> Vec<String> {
    let inner =
        |character: char| character.is_ascii_digit() || character == '.' || character == ',';
    let runs = text.split(|character| !inner(character));
    runs.filter(|run| run.contains(|character: char| character.is_ascii_digit()))
        .map(|run| run.replace(['.', ','], "").trim_matches('0').to_owned())
        .collect()
}
