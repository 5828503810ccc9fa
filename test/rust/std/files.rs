// SPDX-License-Identifier: MIT
//! std::fs and std::io on the file system of /tmp.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, prelude::*, BufReader, BufWriter, ErrorKind, IoSlice, SeekFrom};
use std::os::unix::fs::{symlink, FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A folder of one test's own, gone at its end.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rust-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let removed = fs::remove_dir_all(&self.0);
        if !std::thread::panicking() {
            removed.unwrap();
        }
    }
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn whole_files() {
    let folder = Folder::new("whole");
    let path = folder.at("file");
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n * 7) as u8).collect();
    fs::write(&path, &bytes).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    fs::write(&path, "ä line\nand one\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "ä line\nand one\n");
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_eq!(kind(fs::read_to_string(&path)), ErrorKind::InvalidData);
    assert_eq!(kind(fs::read(folder.at("none"))), ErrorKind::NotFound);
    assert_eq!(kind(fs::read(&folder.0)), ErrorKind::IsADirectory);
}

#[test]
fn ways_to_open() {
    let folder = Folder::new("open");
    let path = folder.at("file");
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
    file.write_all(b"0123456789").unwrap();
    assert_eq!(kind(OpenOptions::new().write(true).create_new(true).open(&path)), ErrorKind::AlreadyExists);
    let mut more = OpenOptions::new().append(true).read(true).open(&path).unwrap();
    more.write_all(b"ab").unwrap();
    more.seek(SeekFrom::End(-4)).unwrap();
    let mut end = String::new();
    more.read_to_string(&mut end).unwrap();
    assert_eq!(end, "89ab");
    assert_eq!(kind(File::open(&path).unwrap().write(b"x")), ErrorKind::Uncategorized_or_other());
    file.set_len(4).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"0123");
    file.set_len(6).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"0123\0\0");
    assert_eq!(File::create(&path).unwrap().metadata().unwrap().len(), 0);
}

/// std has no name for EBADF; it must be an error that is none of the named ones.
trait Other {
    #[allow(non_snake_case)]
    fn Uncategorized_or_other() -> ErrorKind;
}
impl Other for ErrorKind {
    fn Uncategorized_or_other() -> ErrorKind {
        io::Error::from_raw_os_error(9).kind()
    }
}

#[test]
fn positions() {
    let folder = Folder::new("positions");
    let file = File::options().read(true).write(true).create(true).truncate(true).open(folder.at("file")).unwrap();
    file.write_all_at(b"hello", 3).unwrap();
    let mut buffer = [1; 8];
    file.read_exact_at(&mut buffer, 0).unwrap();
    assert_eq!(&buffer, b"\0\0\0hello");
    assert_eq!(kind(file.read_exact_at(&mut buffer, 1)), ErrorKind::UnexpectedEof);
    let (mut first, mut second) = (&file, file.try_clone().unwrap());
    first.seek(SeekFrom::Start(3)).unwrap();
    let mut one = [0];
    second.read_exact(&mut one).unwrap();
    assert_eq!((one[0], first.stream_position().unwrap()), (b'h', 4), "a clone shares the position");
    assert_eq!(kind(first.seek(SeekFrom::Current(-9))), ErrorKind::InvalidInput);
    assert_eq!(first.write_vectored(&[IoSlice::new(b"EL"), IoSlice::new(b"LO")]).unwrap(), 4);
    file.read_exact_at(&mut buffer, 0).unwrap();
    assert_eq!(&buffer, b"\0\0\0hELLO");
}

#[test]
fn buffers_and_lines() {
    let folder = Folder::new("lines");
    let path = folder.at("file");
    let mut out = BufWriter::new(File::create(&path).unwrap());
    for n in 0..5000 {
        writeln!(out, "line {n}").unwrap();
    }
    out.into_inner().unwrap().sync_all().unwrap();
    let lines: Vec<_> = BufReader::new(File::open(&path).unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!((lines.len(), lines[4999].as_str()), (5000, "line 4999"));
    let copied = io::copy(&mut File::open(&path).unwrap(), &mut File::create(folder.at("other")).unwrap()).unwrap();
    assert_eq!(fs::read(folder.at("other")).unwrap().len() as u64, copied);
    assert_eq!(fs::copy(&path, folder.at("third")).unwrap(), copied);
    assert_eq!(fs::read(folder.at("third")).unwrap(), fs::read(&path).unwrap());
}

#[test]
fn folders() {
    let folder = Folder::new("folders");
    let deep = folder.at("a/b/c");
    assert_eq!(kind(fs::create_dir(&deep)), ErrorKind::NotFound);
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(&deep).unwrap();
    assert_eq!(kind(fs::create_dir(&deep)), ErrorKind::AlreadyExists);
    for n in 0..100 {
        File::create(deep.join(format!("file {n}"))).unwrap();
    }
    let mut names: Vec<_> = fs::read_dir(&deep).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!((names.len(), names[99].as_str()), (100, "file 99"));
    let entry = fs::read_dir(folder.at("a")).unwrap().next().unwrap().unwrap();
    assert!(entry.file_type().unwrap().is_dir());
    assert_eq!(kind(fs::remove_dir(&deep)), ErrorKind::DirectoryNotEmpty);
    fs::remove_dir_all(folder.at("a")).unwrap();
    assert!(!folder.at("a").exists());
    assert_eq!(kind(fs::read_dir(folder.at("a"))), ErrorKind::NotFound);
}

#[test]
fn names_and_links() {
    let folder = Folder::new("names");
    let (one, two) = (folder.at("one"), folder.at("two"));
    fs::write(&one, "1").unwrap();
    fs::rename(&one, &two).unwrap();
    assert!(!one.try_exists().unwrap());
    fs::hard_link(&two, &one).unwrap();
    assert_eq!(fs::metadata(&one).unwrap().nlink(), 2);
    assert_eq!(fs::metadata(&one).unwrap().ino(), fs::metadata(&two).unwrap().ino());
    let link = folder.at("link");
    symlink("two", &link).unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("two"));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::metadata(&link).unwrap().is_file());
    assert_eq!(fs::canonicalize(&link).unwrap(), fs::canonicalize(&folder.0).unwrap().join("two"));
    fs::remove_file(&two).unwrap();
    assert_eq!(kind(fs::metadata(&link)), ErrorKind::NotFound);
    assert_eq!(fs::read_to_string(&one).unwrap(), "1");
}

#[test]
fn what_is_known_of_a_file() {
    let folder = Folder::new("known");
    let path = folder.at("file");
    let before = SystemTime::now() - Duration::from_secs(2);
    fs::write(&path, "12345").unwrap();
    let about = fs::metadata(&path).unwrap();
    assert!(about.is_file() && !about.is_dir());
    assert_eq!(about.len(), 5);
    assert!(about.modified().unwrap() >= before);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let about = fs::metadata(&path).unwrap();
    assert!(about.permissions().readonly());
    assert_eq!(about.mode() & 0o777, 0o400);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options().write(true).open(&path).unwrap().set_times(FileTimes::new().set_modified(then)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), then);
    assert!(fs::metadata("/dev/null").unwrap().len() == 0);
}

#[test]
fn locks() {
    let folder = Folder::new("locks");
    let path = folder.at("file");
    let (first, second) = (File::create(&path).unwrap(), File::create(&path).unwrap());
    first.lock().unwrap();
    assert!(matches!(second.try_lock(), Err(fs::TryLockError::WouldBlock)));
    first.unlock().unwrap();
    second.try_lock_shared().unwrap();
    first.try_lock_shared().unwrap();
}

#[test]
fn four_threads_write_to_one_file() {
    let folder = Folder::new("shared");
    let path = folder.at("log");
    File::create(&path).unwrap();
    std::thread::scope(|s| {
        for t in 0..4 {
            let path = &path;
            s.spawn(move || {
                let mut file = OpenOptions::new().append(true).open(path).unwrap();
                for n in 0..50 {
                    file.write_all(format!("{t} {n:03}\n").as_bytes()).unwrap();
                }
            });
        }
    });
    let text = fs::read_to_string(&path).unwrap();
    for t in 0..4 {
        let mine: Vec<_> = text.lines().filter(|l| l.starts_with(&format!("{t} "))).collect();
        assert_eq!(mine, (0..50).map(|n| format!("{t} {n:03}")).collect::<Vec<_>>());
    }
}
