//! `journal verify` and `journal export`.

use std::io;
use std::path::Path;

use anyhow::Context;

use super::{Failure, Outcome, say, say_json};
use crate::records::{KINDS, open_records};
use crate::store::{ExportFormat, Head, Selection, Verdict, export, verify};

/// Is the journal what was written? Exit code 0 only when sound.
///
/// # Errors
/// Exit code 1 when broken or unreadable.
pub fn check(path: &Path, head: Option<&str>, json: bool) -> Outcome {
    let head: Option<Head> = match head {
        Some(text) => Some(text.parse().map_err(|_| {
            Failure::Usage(format!("`{text}` is not a head; it looks like 1234:<64 hexadecimal digits>"))
        })?),
        None => None,
    };
    let verdict = verify(path, head.as_ref());
    let (sound, records, end, sequence, what) = match &verdict {
        Verdict::Sound { records, head } => (true, Some(*records), head.map(|head| head.to_string()), None, None),
        Verdict::Broken { sequence, what } => (false, None, None, *sequence, Some(what.clone())),
        Verdict::Unreadable { what } => (false, None, None, None, Some(what.clone())),
    };
    if json {
        say_json(&serde_json::json!({
            "sound": sound, "records": records, "head": end, "broken_at": sequence, "what": what,
        }))?;
        return if sound { Ok(()) } else { Err(Failure::Silent(1)) };
    }
    match verdict {
        Verdict::Sound { records, .. } => {
            say(&format!("sound: {records} records, head {}\n", end.unwrap_or_else(|| "none".to_owned())))
        }
        Verdict::Broken { .. } => {
            let place = sequence.map_or(String::new(), |sequence| format!(" at record {sequence}"));
            Err(Failure::Running(anyhow::anyhow!("{}: broken{place}: {}", path.display(), what.unwrap_or_default())))
        }
        Verdict::Unreadable { what } => Err(Failure::Running(anyhow::anyhow!("{}: {what}", path.display()))),
    }
}

/// Writes the records to stdout.
///
/// # Errors
/// If the journal cannot be read or a record is damaged.
pub fn write_out(folder: &Path, format: ExportFormat, kinds: &[String]) -> Outcome {
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        return Err(Failure::Usage(format!("there is no kind of record `{unknown}`; there are: {}", KINDS.join(", "))));
    }
    let reader = open_records(folder, None).map_err(|error| Failure::Running(anyhow::anyhow!(error)))?;
    let selection = Selection { kinds: kinds.to_vec(), ..Selection::default() };
    match export(&reader, &selection, format, &mut io::stdout().lock()) {
        Ok(_) => Ok(()),
        Err(crate::store::StoreError::Export(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error).context("the journal could not be exported").map_err(Failure::Running),
    }
}
