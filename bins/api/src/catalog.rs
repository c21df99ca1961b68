//! `api catalog`: plans as code, from a file.

use std::path::Path;

use http_api::{FileFault, read_catalog_toml, where_in_toml};
use quota_core::amount::Limit;
use quota_core::catalog::CatalogFile;
use quota_service::{CatalogPlan, EngineError};

use crate::args::Settings;
use crate::start_error::StartError;
use crate::wiring::wire;

/// Who is booked as having applied a file from the command line.
const ACTOR: &str = "command line";

/// Shows what applying a file would change.
pub(crate) async fn plan(settings: &Settings, path: &Path) -> Result<(), StartError> {
    let (text, file) = read(path)?;
    let wired = wire(settings).await?;
    let plan = wired.engine.plan_catalog(&file).await;
    wired.stop().await;
    show(&plan.map_err(|error| located(error, path, &text))?);
    Ok(())
}

/// Applies a file.
pub(crate) async fn apply(settings: &Settings, path: &Path) -> Result<(), StartError> {
    let (text, file) = read(path)?;
    let wired = wire(settings).await?;
    let plan = wired.engine.apply_catalog(&file, Some(ACTOR)).await;
    wired.stop().await;
    let plan = plan.map_err(|error| located(error, path, &text))?;
    show(&plan);
    println!("applied: version {}", plan.version);
    Ok(())
}

fn read(path: &Path) -> Result<(String, CatalogFile), StartError> {
    let text = std::fs::read_to_string(path).map_err(|cause| StartError::File {
        file: path.to_owned(),
        cause,
    })?;
    let file = read_catalog_toml(&text).map_err(|fault| StartError::Catalog {
        file: path.to_owned(),
        fault,
    })?;
    Ok((text, file))
}

fn located(error: EngineError, path: &Path, text: &str) -> StartError {
    let EngineError::Catalog(invalid) = &error else {
        return error.into();
    };
    let Some((line, column)) = where_in_toml(text, invalid) else {
        return error.into();
    };
    StartError::Catalog {
        file: path.to_owned(),
        fault: FileFault {
            line,
            column,
            detail: invalid.to_string(),
        },
    }
}

fn show(plan: &CatalogPlan) {
    for code in &plan.plans_kept {
        println!("= plan {code} is not in the file and stays");
    }
    if plan.is_empty() {
        println!("nothing changes");
        return;
    }
    for (sign, features) in [
        ('+', &plan.features_added),
        ('~', &plan.features_changed),
        ('-', &plan.features_removed),
    ] {
        for feature in features {
            println!("{sign} feature {feature}");
        }
    }
    for code in &plan.plans_added {
        println!("+ plan {code}");
    }
    for (code, limits) in &plan.plans_changed {
        println!("~ plan {code}");
        for change in limits {
            let (from, to) = (words(change.from), words(change.to));
            println!("    {}: {from} -> {to}", change.feature);
        }
    }
    if plan.over_limit_count != 0 {
        println!("over their limit then: {} accounts", plan.over_limit_count);
    }
    for over in &plan.over_limit {
        println!(
            "    {} {}: used {}, limit {}",
            over.account, over.feature, over.used, over.limit
        );
    }
    if plan.is_partial {
        println!("only the first {} accounts were looked at", plan.examined);
    }
}

fn words(limit: Option<Limit>) -> String {
    match limit {
        None => "not in the plan".to_owned(),
        Some(Limit::Unlimited) => "unlimited".to_owned(),
        Some(Limit::Of(limit)) => limit.to_string(),
    }
}
