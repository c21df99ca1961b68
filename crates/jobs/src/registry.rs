//! The jobs by name, and what is derived from the list of them.

use std::str::FromStr;

use chrono_tz::Tz;

use crate::job::Job;
use crate::work::JOBS;
use crate::{JobError, JobFilter, JobName, JobSettings, JobSpec, Schedule};

impl JobName {
    /// All jobs, in the order of the documentation.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        JOBS.iter().map(|job| job.spec().name)
    }

    /// What is known of the job.
    pub fn spec(self) -> JobSpec {
        self.job().spec()
    }

    /// The job itself. Only jobs of the list have a name.
    pub(crate) fn job(self) -> &'static dyn Job {
        let found = JOBS.iter().find(|job| job.spec().name == self);
        *found.unwrap_or(&JOBS[0])
    }
}

impl FromStr for JobName {
    type Err = JobError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::all().find(|name| name.as_str() == text);
        found.ok_or_else(|| {
            let known: Vec<&str> = Self::all().map(Self::as_str).collect();
            JobError::UnknownJob {
                name: text.to_owned(),
                known: known.join(", "),
            }
        })
    }
}

impl JobFilter {
    /// Whether the job can be narrowed down like this.
    pub(crate) fn check(&self, job: JobName) -> Result<(), JobError> {
        let spec = job.spec();
        let is_refused = [
            ("account", self.account.is_some() && !spec.takes_account),
            ("feature", !self.features.is_empty() && !spec.takes_features),
        ];
        match is_refused.into_iter().find(|(_, is_refused)| *is_refused) {
            Some((what, _)) => Err(JobError::Filter { job, what }),
            None => Ok(()),
        }
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        let schedule = |name: JobName| {
            // Every default parses; a test holds it.
            let schedule = Schedule::parse(name.spec().default_cron, Tz::UTC);
            (name, schedule.unwrap_or_else(|_| Schedule::never()))
        };
        Self::with_schedules(JobName::all().map(schedule).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_job_has_a_name_of_its_own_that_settings_can_carry() {
        let names: BTreeSet<JobName> = JobName::all().collect();
        assert_eq!(names.len(), JOBS.len());
        for name in names {
            assert_eq!(name.spec().name, name, "it is found by its name");
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(name.as_str().chars().all(is_plain), "{name}");
            assert_eq!(name.as_str().parse::<JobName>().ok(), Some(name));
        }
    }

    /// The page for operators says of each job what its file says.
    #[test]
    fn the_page_for_operators_lists_every_job_as_it_is() {
        let page = include_str!("../../../docs/OPERATING.md");
        let (_, jobs) = page.split_once("\n## Jobs\n").expect("a section");
        let jobs = jobs.split("\n## ").next().unwrap_or_default();
        let rows: Vec<&str> = jobs
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let row = |name: JobName| {
            let spec = name.spec();
            format!("| `{name}` | {} | {} |", spec.does, spec.when_late)
        };
        let wanted: Vec<String> = JobName::all().map(row).collect();
        assert_eq!(rows, wanted, "\nwanted:\n{}\n", wanted.join("\n"));
        for name in JobName::all() {
            let (flag, cron) = (name.as_str().replace('_', "-"), name.spec().default_cron);
            let row = page.lines().find(|line| {
                line.starts_with(&format!("| `{name}` | `--{flag}-cron`")) && line.ends_with(" |")
            });
            let row = row.unwrap_or_else(|| panic!("{name} has no schedule on the page"));
            assert!(row.ends_with(&format!("| `{cron}` |")), "{row}");
        }
    }
}
