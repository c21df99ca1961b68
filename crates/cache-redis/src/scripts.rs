//! The scripts that run in Redis, each over the keys of one home.
//!
//! Versions are compared as text of a fixed width: Lua's numbers are exact only up to 2^53.

use std::time::Duration;

use deadpool_redis::redis::{Cmd, RedisResult, Script, aio::MultiplexedConnection, cmd};

use crate::fault::Fault;

const VERSION_DIGITS: usize = 20;
const GENERATION_DIGITS: usize = 16;
const STAMP_DIGITS: usize = VERSION_DIGITS + GENERATION_DIGITS;

/// Record and entry of an account; a record is made where there is none.
/// KEYS record, entry. ARGV stamp of a new record, its milliseconds.
const GET: &str = r"
local record = redis.call('GET', KEYS[1])
if not record then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return {ARGV[1]}
end
local entry = redis.call('GET', KEYS[2])
if entry and string.sub(entry, 21, 36) == string.sub(record, 21, 36)
  and string.sub(entry, 1, 20) >= string.sub(record, 1, 20) then
  return {record, entry}
end
return {record}
";

/// Stores an entry unless its record knows better; the record is raised to the entry's version.
/// KEYS record, entry. ARGV version, generation expected or empty, generation of a new record, JSON, milliseconds of
/// entry and of record. Answers the record, and whether the entry was stored.
const PUT: &str = r"
local record = redis.call('GET', KEYS[1])
if not record then
  if ARGV[2] ~= '' then
    return {'', 0}
  end
  record = ARGV[1] .. ARGV[3]
end
local generation = string.sub(record, 21, 36)
if (ARGV[2] ~= '' and ARGV[2] ~= generation) or string.sub(record, 1, 20) > ARGV[1] then
  return {record, 0}
end
record = ARGV[1] .. generation
redis.call('SET', KEYS[1], record, 'PX', ARGV[6])
redis.call('SET', KEYS[2], record .. ARGV[4], 'PX', ARGV[5])
return {record, 1}
";

/// Raises a home's record. KEYS record. ARGV version, generation of a new record, milliseconds.
const RAISE: &str = r"
local record = redis.call('GET', KEYS[1])
if not record then
  redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
elseif string.sub(record, 1, 20) < ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1] .. string.sub(record, 21, 36), 'PX', ARGV[3])
end
return 1
";

/// A home's record as Redis has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) version: u64,
    pub(crate) generation: u64,
}

impl Stamp {
    fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text.get(..STAMP_DIGITS)?).ok()?;
        let (version, generation) = text.split_at_checked(VERSION_DIGITS)?;
        Some(Self {
            version: version.parse().ok()?,
            generation: u64::from_str_radix(generation, 16).ok()?,
        })
    }
}

/// What [`Scripts::get`] found.
pub(crate) struct Found {
    pub(crate) stamp: Stamp,
    /// JSON of an entry that is not older than the record.
    pub(crate) entry: Option<Vec<u8>>,
}

/// What became of a [`Scripts::put`].
pub(crate) struct PutAnswer {
    /// The record; none when there is none and another one was expected.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) is_stored: bool,
}

/// Keys of an account.
pub(crate) struct EntryKeys {
    pub(crate) record: String,
    pub(crate) entry: String,
}

/// An entry to be stored.
pub(crate) struct Put {
    pub(crate) version: u64,
    /// The generation that was seen when the entry was missed, if any was.
    pub(crate) expected: Option<u64>,
    pub(crate) json: Vec<u8>,
}

/// The scripts, with how long keys live.
#[derive(Debug)]
pub(crate) struct Scripts {
    get: Script,
    put: Script,
    raise: Script,
    entry_millis: u64,
    record_millis: u64,
}

impl Scripts {
    pub(crate) fn new(entry_ttl: Duration, record_ttl: Duration) -> Self {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        Self {
            get: Script::new(GET),
            put: Script::new(PUT),
            raise: Script::new(RAISE),
            entry_millis: millis(entry_ttl),
            record_millis: millis(record_ttl),
        }
    }

    pub(crate) async fn get(
        &self,
        mut connection: MultiplexedConnection,
        keys: EntryKeys,
    ) -> RedisResult<(Vec<u8>, Option<Vec<u8>>)> {
        let mut call = self.get.prepare_invoke();
        call.key(keys.record).key(keys.entry);
        call.arg(format!("{:020}{}", 0, new_generation()));
        call.arg(self.record_millis);
        let mut answer: Vec<Vec<u8>> = call.invoke_async(&mut connection).await?;
        let entry = if answer.len() > 1 { answer.pop() } else { None };
        Ok((answer.pop().unwrap_or_default(), entry))
    }

    pub(crate) async fn put(
        &self,
        mut connection: MultiplexedConnection,
        keys: EntryKeys,
        put: Put,
    ) -> RedisResult<(Vec<u8>, bool)> {
        let expected = put.expected.map(|generation| format!("{generation:016x}"));
        let mut call = self.put.prepare_invoke();
        call.key(keys.record).key(keys.entry);
        call.arg(format!("{:020}", put.version));
        call.arg(expected.unwrap_or_default()).arg(new_generation());
        call.arg(put.json)
            .arg(self.entry_millis)
            .arg(self.record_millis);
        call.invoke_async(&mut connection).await
    }

    /// One command of a pipeline; the script must be known to the server, see [`Self::load`].
    pub(crate) fn raise(&self, record: &str, version: u64) -> Cmd {
        let mut call = cmd("EVALSHA");
        call.arg(self.raise.get_hash()).arg(1).arg(record);
        call.arg(format!("{version:020}")).arg(new_generation());
        call.arg(self.record_millis);
        call
    }

    pub(crate) async fn load(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        for script in [&self.get, &self.put, &self.raise] {
            script.load_async(connection).await?;
        }
        Ok(())
    }
}

/// Reads the answer of [`Scripts::get`].
pub(crate) fn found((record, entry): (Vec<u8>, Option<Vec<u8>>)) -> Result<Found, Fault> {
    let stamp = Stamp::read(&record).ok_or(Fault::Garbled)?;
    let entry = entry.map(|mut entry| entry.split_off(STAMP_DIGITS.min(entry.len())));
    Ok(Found { stamp, entry })
}

/// Reads the answer of [`Scripts::put`].
pub(crate) fn put_answer((record, is_stored): (Vec<u8>, bool)) -> Result<PutAnswer, Fault> {
    if record.is_empty() {
        return Ok(PutAnswer {
            stamp: None,
            is_stored: false,
        });
    }
    Ok(PutAnswer {
        stamp: Some(Stamp::read(&record).ok_or(Fault::Garbled)?),
        is_stored,
    })
}

fn new_generation() -> String {
    format!("{:016x}", rand::random::<u64>())
}
