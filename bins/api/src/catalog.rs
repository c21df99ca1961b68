//! `api catalog`: plans as code, from a file.

use std::path::Path;

use http_api::{FileFault, place_in_json, places_in_toml, read_catalog_json, read_catalog_toml};
use quota_core::catalog::{CatalogFile, InvalidCatalog, PlanValue, ProviderPrices};
use quota_core::ids::PlanCode;
use quota_service::{CatalogPlan, EngineError, Entry, Removals};
use runtime::{MissingFile, StartError};

use crate::args::{CatalogArgs, SaleArgs};
use crate::command_error::CommandError;
use crate::wiring::wire_command;

/// Who is booked as having applied a file from the command line.
const ACTOR: &str = "command line";

/// Shows what applying a file would change.
pub(crate) async fn plan(args: &CatalogArgs, sale: &SaleArgs) -> Result<(), CommandError> {
    let path = &args.file;
    let mut read = read(path)?;
    let sold = put_on_sale(&mut read, sale, true).await?;
    let (engine, database) = wire_command(&args.store.database, MissingFile::Refuse).await?;
    let plan = engine.plan_catalog(&read.file).await;
    engine.stop().await;
    database.close().await;
    let plan = plan.map_err(|error| located(error, path, &read))?;
    Ok(runtime::print(&format!("{sold}{}", shown(&plan)))?)
}

/// Applies a file.
pub(crate) async fn apply(
    args: &CatalogArgs,
    sale: &SaleArgs,
    removals: &Removals,
) -> Result<(), CommandError> {
    let path = &args.file;
    let mut read = read(path)?;
    let sold = put_on_sale(&mut read, sale, false).await?;
    let (engine, database) = wire_command(&args.store.database, MissingFile::Create).await?;
    let plan = engine
        .apply_catalog_removing(&read.file, removals, Some(ACTOR))
        .await;
    engine.stop().await;
    database.close().await;
    let plan = plan.map_err(|error| located(error, path, &read))?;
    let version = plan.version;
    let text = format!("{sold}{}applied: version {version}\n", shown(&plan));
    Ok(runtime::print(&text)?)
}

/// Puts what the file sells on sale at Stripe, if that is asked for: the file gets the prices that it has there. What was done, in lines.
async fn put_on_sale(
    read: &mut ReadFile,
    args: &SaleArgs,
    is_dry: bool,
) -> Result<String, CommandError> {
    if !args.sync_stripe {
        return Ok(String::new());
    }
    let (stripe, _) = args.provider.stripe()?.ok_or_else(|| StartError::Setting {
        setting: "STRIPE_API_KEY",
        why: "is missing: `--sync-stripe` makes products and prices with it".to_owned(),
    })?;
    let sale = stripe.put_on_sale(&read.file, is_dry).await?;
    let mut lines: Vec<String> = sale
        .steps
        .iter()
        .map(|step| format!("stripe: {step}"))
        .collect();
    if sale.file != read.file {
        lines.push(
            "stripe: name the prices in the file, so that it can be applied without Stripe:"
                .to_owned(),
        );
    }
    for (old, new) in read.file.plans.iter().zip(&sale.file.plans) {
        if old.provider_prices != new.provider_prices {
            lines.push(format!(
                "    plan {}: {}",
                new.code,
                prices(&new.provider_prices)
            ));
        }
    }
    for (old, new) in read.file.packs.iter().zip(&sale.file.packs) {
        if old.provider_prices != new.provider_prices {
            lines.push(format!(
                "    pack {}: {}",
                new.code,
                prices(&new.provider_prices)
            ));
        }
    }
    read.file = sale.file;
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// Prices as a file says them.
fn prices(prices: &ProviderPrices) -> String {
    let each = prices.iter().map(|(provider, prices)| {
        let prices: Vec<String> = prices.iter().map(|price| format!("\"{price}\"")).collect();
        format!("{provider} = [{}]", prices.join(", "))
    });
    let each: Vec<String> = each.collect();
    format!("provider_prices = {{ {} }}", each.join(", "))
}

/// How a catalog file is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Toml,
    Json,
}

impl Form {
    /// By the file's extension; of another extension than these two by the text, for TOML does not begin with a brace.
    fn of(path: &Path, text: &str) -> Self {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let is_json = extension == "json" || text.trim_start().starts_with('{');
        if is_json && extension != "toml" {
            Self::Json
        } else {
            Self::Toml
        }
    }
}

/// A catalog file, as it was read.
struct ReadFile {
    text: String,
    form: Form,
    file: CatalogFile,
}

fn read(path: &Path) -> Result<ReadFile, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|cause| CommandError::File {
        file: path.to_owned(),
        cause,
    })?;
    let form = Form::of(path, &text);
    let file = match form {
        Form::Toml => read_catalog_toml(&text),
        Form::Json => read_catalog_json(&text),
    };
    let file = file.map_err(|fault| CommandError::Catalog {
        file: path.to_owned(),
        fault,
    })?;
    Ok(ReadFile { text, form, file })
}

fn located(error: EngineError, path: &Path, read: &ReadFile) -> CommandError {
    if let EngineError::StillHeld(held) = error {
        return CommandError::StillHeld {
            file: path.to_owned(),
            held,
        };
    }
    let EngineError::Catalog(invalid) = &error else {
        return error.into();
    };
    CommandError::CatalogMistakes {
        mistakes: match read.form {
            Form::Toml => in_toml(invalid, path, &read.text),
            Form::Json => in_json(invalid, path, &read.file),
        },
        left_out: invalid.left_out,
    }
}

/// A line for each mistake, in the order of the file: file, line and column, what is wrong there.
fn in_toml(invalid: &InvalidCatalog, path: &Path, text: &str) -> Vec<String> {
    let places = places_in_toml(text, &invalid.mistakes).into_iter();
    let mut mistakes: Vec<_> = places.zip(&invalid.mistakes).collect();
    mistakes.sort_by_key(|(place, _)| *place);
    let file = path.display();
    let lines = mistakes.into_iter().map(|(place, mistake)| match place {
        Some((line, column)) => {
            let detail = mistake.to_string();
            let fault = FileFault {
                line,
                column,
                detail,
            };
            format!("{file}: {fault}")
        }
        None => format!("{file}: {mistake}"),
    });
    lines.collect()
}

/// A line for each mistake: file, pointer, what is wrong there.
fn in_json(invalid: &InvalidCatalog, path: &Path, file: &CatalogFile) -> Vec<String> {
    let mistakes = invalid.mistakes.iter();
    let lines = mistakes.map(|mistake| {
        let pointer = place_in_json(file, mistake);
        format!("{}: {pointer}: {mistake}", path.display())
    });
    lines.collect()
}

fn shown(plan: &CatalogPlan) -> String {
    let mut lines = Vec::new();
    if plan.names_nothing {
        lines.push("the file names no feature and no plan".to_owned());
    }
    if plan.is_empty() {
        lines.push("nothing changes\n".to_owned());
        return lines.join("\n");
    }
    for (sign, features) in [
        ('+', &plan.features_added),
        ('~', &plan.features_changed),
        ('-', &plan.features_removed),
    ] {
        for feature in features {
            lines.push(format!("{sign} feature {feature}"));
            tell_fields(plan, &Entry::Feature(feature.clone()), &mut lines);
        }
    }
    for code in &plan.plans_removed {
        lines.push(format!("- plan {code}"));
    }
    for held in &plan.held {
        lines.push(format!("    {held}"));
    }
    for code in &plan.plans_added {
        lines.push(format!("+ plan {code}"));
    }
    for (code, limits) in &plan.plans_changed {
        lines.push(format!("~ plan {code}"));
        tell_fields(plan, &Entry::Plan(code.clone()), &mut lines);
        for change in limits {
            let (from, to) = (words(change.from.as_ref()), words(change.to.as_ref()));
            lines.push(format!("    {}: {from} -> {to}", change.feature));
        }
    }
    for code in plan.packs_changed() {
        lines.push(format!("~ pack {code}"));
        tell_fields(plan, &Entry::Pack(code.clone()), &mut lines);
    }
    if let Some(change) = &plan.default_plan {
        let [from, to] = [&change.from, &change.to].map(|code| {
            let code = code.as_ref().map(PlanCode::as_str);
            code.unwrap_or("none")
        });
        lines.push(format!("~ default plan: {from} -> {to}"));
    }
    tell_affected(plan, &mut lines);
    lines.push(String::new());
    lines.join("\n")
}

/// What changes of a feature or plan beside its limits.
fn tell_fields(plan: &CatalogPlan, entry: &Entry, lines: &mut Vec<String>) {
    let changes = plan.fields_changed.iter();
    for change in changes.filter(|change| change.entry == *entry) {
        let [from, to] =
            [&change.from, &change.to].map(|value| value.as_deref().unwrap_or("not said"));
        lines.push(format!("    {}: {from} -> {to}", change.field));
    }
}

/// Who would be over a limit, without a flag, or sold less.
fn tell_affected(plan: &CatalogPlan, lines: &mut Vec<String>) {
    if plan.over_limit_count != 0 {
        let count = accounts(plan.over_limit_count);
        lines.push(format!("over their limit then: {count}"));
    }
    for over in &plan.over_limit {
        let window = over.window.map(|per| format!(" ({per})"));
        lines.push(format!(
            "    {} {}{}: used {}, limit {}",
            over.account,
            over.feature,
            window.unwrap_or_default(),
            over.used,
            over.limit
        ));
    }
    if plan.lost_limit_count != 0 {
        let count = accounts(plan.lost_limit_count);
        lines.push(format!(
            "without a limit then, and granted nothing: {count}"
        ));
    }
    for lost in &plan.lost_limits {
        lines.push(format!("    {} {}", lost.account, lost.feature));
    }
    if plan.lost_flag_count != 0 {
        let count = accounts(plan.lost_flag_count);
        lines.push(format!("without a flag then: {count}"));
    }
    for lost in &plan.lost_flags {
        lines.push(format!("    {} {}", lost.account, lost.feature));
    }
    if plan.less_on_demand_count != 0 {
        let count = accounts(plan.less_on_demand_count);
        lines.push(format!("sold less on demand then: {count}"));
    }
    for less in &plan.less_on_demand {
        let then = less
            .cap
            .map_or_else(|| "none".to_owned(), |cap| format!("at most {cap}"));
        lines.push(format!(
            "    {} {}: owes {}, {then}",
            less.account, less.feature, less.owed
        ));
    }
    if plan.is_partial {
        lines.push(format!(
            "only the first {} accounts were looked at",
            plan.examined
        ));
    }
}

fn accounts(count: u64) -> String {
    match count {
        1 => "1 account".to_owned(),
        count => format!("{count} accounts"),
    }
}

fn words(value: Option<&PlanValue>) -> String {
    value.map_or_else(|| "not in the plan".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quota_core::ids::{AccountId, FeatureCode};
    use quota_service::{DefaultPlanChange, FieldChange, LessOnDemand, LimitChange, LostFlag};

    use super::*;

    #[test]
    fn who_would_lose_something_is_told_beside_what_changes() {
        let sso = FeatureCode::new("sso").expect("a literal code");
        let change = LimitChange {
            feature: sso.clone(),
            from: Some(PlanValue::Flag(true)),
            to: None,
        };
        let lost = LostFlag {
            account: AccountId::parse("user:ann").expect("a literal id"),
            feature: sso,
        };
        let less = [None, Some(40)].map(|cap| LessOnDemand {
            account: AccountId::parse("org:acme").expect("a literal id"),
            feature: FeatureCode::new("messages").expect("a literal code"),
            owed: 50,
            cap,
        });
        let less = less.to_vec();
        let pro = PlanCode::new("pro").expect("a literal code");
        let price = FieldChange {
            entry: Entry::Plan(pro.clone()),
            field: "price".to_owned(),
            from: None,
            to: Some("3000".to_owned()),
        };
        let plan = CatalogPlan {
            version: 2,
            names_nothing: false,
            default_plan: Some(DefaultPlanChange {
                from: None,
                to: Some(pro.clone()),
            }),
            features_added: Vec::new(),
            features_changed: Vec::new(),
            features_removed: Vec::new(),
            plans_added: Vec::new(),
            plans_changed: BTreeMap::from([(pro, vec![change])]),
            plans_removed: Vec::new(),
            fields_changed: vec![price],
            held: Vec::new(),
            over_limit: Vec::new(),
            over_limit_count: 0,
            lost_flags: vec![lost],
            lost_flag_count: 1,
            lost_limits: Vec::new(),
            lost_limit_count: 0,
            less_on_demand: less,
            less_on_demand_count: 2,
            examined: 1,
            is_partial: false,
        };
        let wanted = "~ plan pro\n    price: not said -> 3000\n    sso: true -> not in the plan\n\
                      ~ default plan: none -> pro\n\
                      without a flag then: 1 account\n    user:ann sso\n\
                      sold less on demand then: 2 accounts\n    org:acme messages: owes 50, none\n    \
                      org:acme messages: owes 50, at most 40\n";
        assert_eq!(shown(&plan), wanted);
    }
}
