//! Names of jobs.

use std::fmt;

/// The name of a job in history, metrics, settings and addresses. There is one for each job, and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(&'static str);

impl JobName {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name as text: lower case, with underscores.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
