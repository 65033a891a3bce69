//! The reserve: room on the disk that is kept for the journal and given back when the disk is full.
//!
//! A disk fills for reasons that are not ours, and when it is full the outage that follows is exactly what must be
//! recorded. So a file of a few megabytes is allocated in good times, and removed when a record does not fit.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// How often it is looked whether there is room for the reserve again.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// Less room than this is none.
const ROOM_MIN_BYTES: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
    look_at: Instant,
}

impl Reserve {
    /// Takes over what a process before this one left.
    pub fn new(path: PathBuf, bytes: u64) -> Reserve {
        let held = bytes > 0 && fs::metadata(&path).is_ok_and(|file| file.len() == bytes);
        if !held {
            let _ = fs::remove_file(&path);
        }
        Reserve { path, bytes, held, look_at: Instant::now() }
    }

    /// Whether the disk is so full that only the journal may write.
    pub fn is_spent(&self) -> bool {
        self.bytes > 0 && !self.held
    }

    /// Gives the room back. True when there was something to give.
    pub fn release(&mut self) -> bool {
        if !self.held {
            return false;
        }
        self.held = false;
        self.look_at = Instant::now() + LOOK_INTERVAL;
        let removed = fs::remove_file(&self.path).is_ok();
        // Some file systems give blocks back only once the removal itself is on disk.
        if let Some(folder) = self.path.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        removed
    }

    /// Gives the room back before the store is even open: on a full disk SQLite cannot open its own files.
    pub fn release_to_open(path: &Path) -> bool {
        is_disk_full(path) && fs::remove_file(path).is_ok()
    }

    /// When [`replenish`](Reserve::replenish) should be called next, if the reserve is missing.
    pub fn look_at(&self) -> Option<Instant> {
        self.is_spent().then_some(self.look_at)
    }

    /// Allocates the reserve again once there is room for it and as much again for everybody else.
    pub fn replenish(&mut self, now: Instant) {
        if !self.is_spent() || now < self.look_at {
            return;
        }
        self.look_at = now + LOOK_INTERVAL;
        let room = free_bytes(&self.path).unwrap_or(u64::MAX);
        if room >= self.bytes.saturating_mul(2) {
            self.held = allocate(&self.path, self.bytes).is_ok();
            if !self.held {
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}

/// Bytes that this user may still write on the disk where `path` lies.
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let folder = path.parent()?;
    let disk = statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether there is so little room that a failure is best explained by it. SQLite does not call every such failure by
/// its name: where it maps memory, it says "I/O error".
pub(super) fn is_disk_full(path: &Path) -> bool {
    free_bytes(path).is_some_and(|bytes| bytes < ROOM_MIN_BYTES)
}

fn allocate(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    if fallocate(&file, FallocateFlags::empty(), 0, bytes).is_err() {
        // Not every file system can allocate without writing. Zeros would be no room at all on one that compresses.
        let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
        let mut block = [0_u8; 8192];
        let mut left = bytes;
        while left > 0 {
            for word in block.chunks_exact_mut(8) {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                word.copy_from_slice(&noise.to_le_bytes());
            }
            let part = left.min(block.len() as u64);
            file.write_all(&block[..part as usize])?;
            left -= part;
        }
    }
    file.sync_all()
}
