//! The files of the repository, as git sees them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
#[derive(Clone, Debug)]
pub struct RepoFile {
    /// The path from the repository's root, with `/`.
    pub path: String,
    /// The whole content.
    pub text: String,
}

impl RepoFile {
    /// A file that is not on disk, for trying a check.
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the path ends with `.extension`.
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|given| given == extension)
    }

    /// Whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        let in_test_folder = self
            .path
            .split('/')
            .any(|part| part == "tests" || part == "benches");
        in_test_folder || self.name() == "tests.rs"
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .unwrap_or(crate_folder)
        .to_path_buf()
}

/// Every text file that is tracked or would be: what `.gitignore` names is left out.
///
/// # Panics
///
/// When git cannot list the files.
pub fn files() -> Vec<RepoFile> {
    let root = root();
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root)
        .output();
    let Ok(listing) = listing else {
        panic!("`git ls-files` did not run")
    };
    assert!(listing.status.success(), "`git ls-files` failed");
    let names = String::from_utf8_lossy(&listing.stdout).into_owned();
    let paths = names.split('\0').filter(|path| !path.is_empty());
    // A file that git knows and the work tree lacks, or that is not text, has nothing to check.
    let read = |path: &str| {
        Some(RepoFile::new(
            path,
            &fs::read_to_string(root.join(path)).ok()?,
        ))
    };
    paths.filter_map(read).collect()
}
