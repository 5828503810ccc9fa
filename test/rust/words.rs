// SPDX-License-Identifier: MIT
//! Counts words over a tree of folders, on as many threads as there are harts: lines, words and bytes of each file, in the order
//! of their names, the sums, and the words that are most frequent. What it prints must be what the host computes.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{mpsc, Mutex};
use std::{env, fs, io, thread};

const MOST_FREQUENT: usize = 20;

struct Counted {
    path: PathBuf,
    lines: usize,
    words: usize,
    bytes: usize,
    each: HashMap<Vec<u8>, usize>,
}

fn walk(folder: &Path, found: &mut dyn FnMut(PathBuf)) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), found)?;
        } else {
            found(entry.path());
        }
    }
    Ok(())
}

fn count(path: PathBuf) -> io::Result<Counted> {
    let text = fs::read(&path)?;
    let mut counted = Counted { path, lines: 0, words: 0, bytes: text.len(), each: HashMap::new() };
    counted.lines = text.iter().filter(|byte| **byte == b'\n').count();
    for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        counted.words += 1;
        *counted.each.entry(word.to_ascii_lowercase()).or_default() += 1;
    }
    Ok(counted)
}

/// One thread walks, the others count what it finds.
fn count_all(root: &Path) -> io::Result<Vec<Counted>> {
    let (to_count, files) = mpsc::channel();
    let (done, results) = mpsc::channel();
    let files = Mutex::new(files);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism()?.get() {
            let (files, done) = (&files, done.clone());
            scope.spawn(move || loop {
                let next = files.lock().expect("nobody panics with it").recv();
                let Ok(path) = next else { return };
                done.send(count(path)).expect("the results are taken to the end");
            });
        }
        drop(done);
        walk(root, &mut |path| to_count.send(path).expect("the counters wait for the end"))?;
        drop(to_count);
        results.iter().collect()
    })
}

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::args_os().nth(1).ok_or(io::ErrorKind::InvalidInput)?);
    let mut all = count_all(&root)?;
    all.sort_by(|a, b| a.path.cmp(&b.path));
    let mut total: HashMap<&[u8], usize> = HashMap::new();
    for file in &all {
        let name = file.path.strip_prefix(&root).unwrap_or(&file.path);
        println!("{:7} {:7} {:8} {}", file.lines, file.words, file.bytes, name.display());
        file.each.iter().for_each(|(word, n)| *total.entry(word).or_default() += n);
    }
    let sum = |of: fn(&Counted) -> usize| all.iter().map(of).sum::<usize>();
    println!("{:7} {:7} {:8} total", sum(|f| f.lines), sum(|f| f.words), sum(|f| f.bytes));
    let mut order: Vec<_> = total.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    for (word, n) in order.into_iter().take(MOST_FREQUENT) {
        println!("{n:7} {}", String::from_utf8_lossy(word));
    }
    Ok(())
}
