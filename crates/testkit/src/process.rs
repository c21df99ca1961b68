//! One server process in a folder of its own, as an unprivileged user, gone when its owner is gone.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ServerError;

/// A crash recovery of a few hundred MB on a busy machine stays far below this.
const READY_SECONDS_MAX: u64 = 600;
/// Short beside the start of any server, long beside one look at it.
const POLL_PAUSE: Duration = Duration::from_millis(10);
/// A port can be taken between the look and the bind; five times in a row it is something else.
pub(crate) const PORT_ATTEMPTS_MAX: usize = 5;
/// Enough of a log to see why a server did not start.
const LOG_LINES_MAX: usize = 15;

/// Waits for its owner to die in whatever way (its pipe closes), then ends what still runs in the
/// folder and removes it. A killed test process, and a `static`, run no `Drop`.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
[ -d "$0" ] || exit 0
for round in 1 2 3; do
  for link in $(find /proc -mindepth 2 -maxdepth 2 -name cwd -lname "$0/data" 2>/dev/null); do
    pid=${link#/proc/}
    kill -KILL "${pid%/cwd}" 2>/dev/null
  done
done
rm -rf "$0"
"#;

/// A server process and its folder.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    name: &'static str,
    child: Option<Child>,
    owner: Owner,
    data: PathBuf,
    folder: TempDir,
    _watchdog: Watchdog,
}

impl ServerProcess {
    /// Makes the folder `…/data` and gives it to the user that the server will run as.
    pub(crate) fn prepare(name: &'static str) -> Result<Self, ServerError> {
        let owner = Owner::detect()?;
        let place = fs::canonicalize(std::env::temp_dir())
            .map_err(ServerError::system("find the temporary folder"))?;
        let folder = tempfile::Builder::new()
            .prefix(&format!("throwaway-{name}-"))
            .tempdir_in(place)
            .map_err(ServerError::system("make a temporary folder"))?;
        let data = folder.path().join("data");
        fs::create_dir(&data).map_err(ServerError::system("make the data folder"))?;
        owner.take(folder.path())?;
        owner.take(&data)?;
        let watchdog = Watchdog::over(folder.path())?;
        Ok(Self {
            name,
            child: None,
            owner,
            data,
            folder,
            _watchdog: watchdog,
        })
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The id of the running server: the user is changed by `exec`, so it is the child's own.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A command that runs as the server's user, in the data folder.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = self.owner.command(program);
        command
            .current_dir(&self.data)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }

    /// Starts `command` as the server, with its output in the log, out of reach of Ctrl-C.
    pub(crate) fn spawn(&mut self, mut command: Command) -> Result<(), ServerError> {
        let log = self
            .log()
            .map_err(ServerError::system("open the server's log"))?;
        let errors = log
            .try_clone()
            .map_err(ServerError::system("open the server's log"))?;
        let child = command
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(ServerError::system(format!("start {}", self.name)))?;
        self.child = Some(child);
        Ok(())
    }

    /// Polls `is_ready` until it says yes, the server ends, or time is up.
    pub(crate) fn wait_ready(
        &mut self,
        is_ready: impl Fn(&Self) -> bool,
    ) -> Result<(), ServerError> {
        let ready = wait_until(|| is_ready(self) || !self.is_running()) && self.is_running();
        if ready {
            return Ok(());
        }
        Err(ServerError::NotReady {
            server: self.name,
            log: self.log_tail(),
        })
    }

    /// Sends `signal` (a name without `SIG`) to the server process alone.
    pub(crate) fn signal(&self, signal: &str) -> Result<(), ServerError> {
        self.id().map_or(Ok(()), |id| send_signal(signal, &[id]))
    }

    /// Ends every process of the server at once; none of them can write anything more.
    ///
    /// The first one is stopped before the others are listed, so that no new one can be missed.
    pub(crate) fn kill_9(&mut self) -> Result<(), ServerError> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        if matches!(child.try_wait(), Ok(None)) {
            send_signal("STOP", &[child.id()])?;
        }
        let mut ids = processes_in(&self.data);
        ids.push(child.id());
        ids.dedup();
        send_signal("KILL", &ids)?;
        child
            .wait()
            .map_err(ServerError::system("wait for a killed server"))?;
        if wait_until(|| processes_in(&self.data).is_empty()) {
            return Ok(());
        }
        Err(ServerError::Failed {
            program: self.name.into(),
            output: "outlived kill -9".into(),
        })
    }

    /// Asks the server to end with `signal` and waits; kills it when it does not.
    pub(crate) fn stop(&mut self, signal: &str) -> Result<(), ServerError> {
        self.signal("CONT")?;
        self.signal(signal)?;
        let ended = wait_until(|| !self.is_running() && processes_in(&self.data).is_empty());
        if ended {
            self.child = None;
            return Ok(());
        }
        self.kill_9()
    }

    fn is_running(&self) -> bool {
        self.id()
            .is_some_and(|id| fs::read_link(format!("/proc/{id}/cwd")).is_ok())
    }

    fn log(&self) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder().join("log"))
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.folder().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the watchdog tries once more.
        drop(self.kill_9());
    }
}

/// The user that servers run as: the present one, or when that is root, one without rights
/// (PostgreSQL refuses to run as root).
#[derive(Debug)]
struct Owner {
    other: Option<(u32, u32)>,
}

impl Owner {
    fn detect() -> Result<Self, ServerError> {
        if !is_root() {
            return Ok(Self { other: None });
        }
        let name = if id_of(&["-u", "postgres"]).is_ok() {
            "postgres"
        } else {
            "nobody"
        };
        Ok(Self {
            other: Some((id_of(&["-u", name])?, id_of(&["-g", name])?)),
        })
    }

    fn take(&self, path: &Path) -> Result<(), ServerError> {
        let Some((user, group)) = self.other else {
            return Ok(());
        };
        chown(path, Some(user), Some(group)).map_err(ServerError::system("change a folder's owner"))
    }

    fn command(&self, program: &Path) -> Command {
        let Some((user, group)) = self.other else {
            return Command::new(program);
        };
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={user}"))
            .arg(format!("--regid={group}"));
        command.arg("--init-groups").arg("--").arg(program);
        command
    }
}

/// Whether this process may install packages and must give up its rights to run PostgreSQL.
pub fn is_root() -> bool {
    id_of(&["-u"]).is_ok_and(|id| id == 0)
}

fn id_of(arguments: &[&str]) -> Result<u32, ServerError> {
    let mut command = Command::new("id");
    command.args(arguments);
    let text = output_of(command)?;
    text.trim().parse().map_err(|_| ServerError::Failed {
        program: "id".into(),
        output: text,
    })
}

/// A shell that outlives its owner by a moment.
#[derive(Debug)]
struct Watchdog {
    shell: Child,
}

impl Watchdog {
    fn over(folder: &Path) -> Result<Self, ServerError> {
        let shell = Command::new("sh")
            .arg("-c")
            .arg(WATCHDOG)
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(ServerError::system("start the watchdog"))?;
        Ok(Self { shell })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

/// Polls `condition` until it holds (true) or time is up (false).
pub(crate) fn wait_until(condition: impl Fn() -> bool) -> bool {
    let give_up_at = Instant::now() + Duration::from_secs(READY_SECONDS_MAX);
    while !condition() {
        if give_up_at <= Instant::now() {
            return false;
        }
        thread::sleep(POLL_PAUSE);
    }
    true
}

/// A port on the loopback address that nobody listened on a moment ago.
pub(crate) fn free_port() -> Result<u16, ServerError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(ServerError::system("find a free port"))
}

/// Runs `command` to its end; its output, or an error that has it.
pub(crate) fn output_of(mut command: Command) -> Result<String, ServerError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(ServerError::system(format!("run `{program}`")))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let output = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    Err(ServerError::Failed { program, output })
}

/// Where `name` is: in `folders` first, then on the path.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders
        .iter()
        .chain(&on_path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The processes that work in `folder`: PostgreSQL's change to their data folder, and Redis too.
fn processes_in(folder: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd == folder))
        .collect()
}

/// The shell's own `kill` is there on the smallest machine. One that is gone already is no error.
fn send_signal(signal: &str, ids: &[u32]) -> Result<(), ServerError> {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(r#"for id; do kill -"$0" "$id" 2>/dev/null; done; true"#)
        .arg(signal);
    command.args(ids.iter().map(u32::to_string));
    output_of(command).map(drop)
}
