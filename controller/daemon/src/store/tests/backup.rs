//! Backups: whole or none, beside a running daemon, and never over records.

use std::fs;

use super::*;
use crate::store::backup::{BackupError, backup, restore};

#[test]
fn a_backup_of_a_running_store_is_its_journal_of_one_moment_and_restores_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file, fresh) = (folder.path().join("data"), folder.path().join("copy.db"), folder.path().join("fresh"));
    let store = open(&data);
    fill(&store, 50);
    // Somebody goes on writing all the while.
    let copied = thread::scope(|scope| {
        let writing = scope.spawn(|| fill(&store, 500));
        let copied = backup(&data, &file).unwrap();
        writing.join().unwrap();
        copied
    });
    assert!(50 <= copied.records && copied.records <= 550, "{copied:?}");
    assert_eq!(copied.bytes, fs::metadata(&file).unwrap().len());
    // What was recorded later is missing in it and in nothing else.
    let head = copied.head.unwrap();
    assert!(verify(&data, Some(&head)).is_sound());
    close(&store);
    drop(store);

    assert_eq!(restore(&file, &fresh).unwrap().head, Some(head));
    assert_eq!(verify(&fresh, None), Verdict::Sound { records: copied.records, head: Some(head) });
    let restored = open(&fresh);
    assert_eq!(restored.opening().head, Some(head));
    assert_eq!(restored.opening().journal_regressed, None);
    fill(&restored, 3);
    close(&restored);
    assert!(verify(&fresh, Some(&head)).is_sound());
}

#[test]
fn nothing_is_written_over_and_a_folder_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let store = open(&data);
    fill(&store, 2);
    backup(&data, &file).unwrap();
    let before = fs::read(&file).unwrap();
    assert!(matches!(backup(&data, &file), Err(BackupError::Exists(path)) if path == file));
    assert_eq!(fs::read(&file).unwrap(), before);
    assert!(matches!(restore(&file, &data), Err(BackupError::Store(StoreError::InUse { .. }))));
    close(&store);
    drop(store);
    assert!(matches!(restore(&file, &data), Err(BackupError::Exists(_))));
    assert!(verify(&data, None).is_sound());
}

#[test]
fn a_damaged_journal_is_neither_backed_up_as_sound_nor_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file, fresh) = (folder.path().join("data"), folder.path().join("copy.db"), folder.path().join("fresh"));
    let store = open(&data);
    fill(&store, 20);
    close(&store);
    drop(store);
    backup(&data, &file).unwrap();

    let spoil = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        let place = bytes.windows(11).position(|window| window == b"\"number\":13").unwrap();
        bytes[place + 10] = b'4';
        fs::write(path, bytes).unwrap();
    };
    spoil(&file);
    let refused = restore(&file, &fresh).unwrap_err();
    assert!(matches!(&refused, BackupError::Unsound { what, .. } if what.contains("record 13")), "{refused}");
    assert!(!fresh.join("heatstation.db").exists());

    spoil(&data.join("heatstation.db"));
    let other = folder.path().join("other.db");
    let refused = backup(&data, &other).unwrap_err();
    assert!(matches!(&refused, BackupError::Unsound { what, .. } if what.contains("record 13")), "{refused}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("other")), "{left:?}");
}

#[test]
fn what_an_interrupted_backup_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let store = open(&data);
    fill(&store, 5);
    fs::write(folder.path().join("copy.db.part"), b"half a database").unwrap();
    backup(&data, &file).unwrap();
    assert!(verify(&file, None).is_sound());
    assert!(!folder.path().join("copy.db.part").exists());
    // And where there is nothing to back up, it is said.
    let nothing = backup(&folder.path().join("empty"), &folder.path().join("x.db")).unwrap_err();
    assert!(nothing.to_string().contains("heatstation.db"), "{nothing}");
    close(&store);
}
