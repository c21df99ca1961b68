//! The real runner, over the store of the test.

use std::sync::Arc;

use chrono::TimeDelta;
use jobs::{JobSettings, LogSink, Runner};
use quota_service::Engine;

use crate::api::noon;

/// A runner that nobody listens to; another worker is at `audit`.
pub(crate) async fn runner(engine: &Engine) -> Runner {
    let until = noon() + TimeDelta::hours(1);
    let audit = jobs::work::audit::NAME.as_str();
    let taken = engine.storage().take_lease(audit, "another", noon(), until);
    taken.await.expect("a lease").expect("it is free");
    let (settings, owner) = (JobSettings::default(), "api-of-the-test".to_owned());
    Runner::new(engine.clone(), Arc::new(LogSink), settings, owner)
}
