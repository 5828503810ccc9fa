// SPDX-License-Identifier: MIT
//! std::process, std::env, and what a process reads and writes.

use crate::{child, run_child};
use std::io::{self, prelude::*, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::time::Duration;

/// What a child does that a test has started.
pub fn child_main(what: &str) {
    match what {
        "exit" => process::exit(42),
        "echo" => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).unwrap();
            print!("<{}>", text.to_uppercase());
            io::stdout().flush().unwrap();
            eprint!("to stderr");
            process::exit(3);
        }
        "lines" => {
            for line in io::stdin().lines() {
                println!("{}", line.unwrap().chars().rev().collect::<String>());
            }
            process::exit(0);
        }
        "folder" => {
            std::env::set_current_dir("/etc").unwrap();
            println!("{} {}", std::env::current_dir().unwrap().display(), std::fs::metadata("version").is_ok());
        }
        "started-in" => println!("in {}", std::env::current_dir().unwrap().display()),
        "environment" => {
            println!("A={:?} B={:?}", std::env::var("CHILD_A"), std::env::var("CHILD_B").is_err());
            std::env::set_var("CHILD_B", "set");
            std::env::remove_var("CHILD_A");
            println!("A={:?} B={:?}", std::env::var_os("CHILD_A"), std::env::var("CHILD_B"));
        }
        "arguments" => println!("{:?}", std::env::args().skip(5).collect::<Vec<_>>()),
        "sleep" => std::thread::sleep(Duration::from_secs(100)),
        other => crate::failing::child_main(other),
    }
}

fn words(output: &process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_status_comes_back() {
    assert_eq!(run_child("exit").status.code(), Some(42));
    assert!(Command::new("/bin/sh").args(["-c", "exit 0"]).status().unwrap().success());
    assert_eq!(Command::new("sh").args(["-c", "exit 9"]).status().unwrap().code(), Some(9), "found in PATH");
}

#[test]
fn a_program_that_is_not_there() {
    assert_eq!(Command::new("/bin/none-such").spawn().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(Command::new("none-such").spawn().unwrap_err().kind(), ErrorKind::NotFound);
    assert!(Command::new("/etc/version").spawn().is_err());
}

#[test]
fn three_pipes() {
    let mut started =
        child("echo").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    started.stdin.take().unwrap().write_all(b"some words").unwrap();
    let output = started.wait_with_output().unwrap();
    assert!(words(&output).ends_with("<SOME WORDS>"), "{output:?}");
    assert!(output.stderr.ends_with(b"to stderr"), "{output:?}");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_conversation() {
    let mut started = child("lines").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut to, mut from) = (started.stdin.take().unwrap(), io::BufReader::new(started.stdout.take().unwrap()));
    for n in 0..50 {
        writeln!(to, "question {n}").unwrap();
        let mut answer = String::new();
        while !answer.contains("noitseuq") {
            answer.clear();
            assert_ne!(from.read_line(&mut answer).unwrap(), 0);
        }
        // The first answer stands behind what the harness of the tests says.
        let wanted: String = format!("question {n}").chars().rev().collect();
        assert!(answer.trim_end().ends_with(&wanted), "{answer:?}");
    }
    drop(to);
    assert!(started.wait().unwrap().success());
}

#[test]
fn much_through_a_pipe() {
    let mut started = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut to = started.stdin.take().unwrap();
    let sender = std::thread::spawn(move || to.write_all(&vec![b'x'; 1 << 20]));
    let output = started.wait_with_output().unwrap();
    sender.join().unwrap().unwrap();
    assert_eq!(output.stdout.len(), 1 << 20);
}

#[test]
fn an_anonymous_pipe() {
    let (mut from, mut to) = io::pipe().unwrap();
    let started = Command::new("sh").args(["-c", "echo through"]).stdout(to.try_clone().unwrap()).status();
    assert!(started.unwrap().success());
    to.write_all(b"and more").unwrap();
    drop(to);
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through\nand more");
}

#[test]
fn a_child_can_be_killed() {
    let mut started = child("sleep").stdout(Stdio::null()).spawn().unwrap();
    assert_ne!(started.id(), process::id());
    assert!(started.try_wait().unwrap().is_none());
    started.kill().unwrap();
    assert_eq!(started.wait().unwrap().signal(), Some(9));
}

#[test]
fn the_environment() {
    let output = child("environment").env("CHILD_A", "one").env_remove("CHILD_B").output().unwrap();
    assert!(words(&output).contains("A=Ok(\"one\") B=true\nA=None B=Ok(\"set\")\n"), "{output:?}");
    let output = Command::new("/bin/sh").args(["-c", "echo $ONLY $HOME."]).env_clear().env("ONLY", "this").output();
    assert_eq!(words(&output.unwrap()), "this .\n");
}

#[test]
fn the_folder() {
    assert!(words(&run_child("folder")).contains("/etc true\n"));
    let output = child("started-in").current_dir("/tmp").output().unwrap();
    assert!(words(&output).contains("in /tmp\n"), "{output:?}");
}

#[test]
fn its_own_program() {
    let path = std::env::current_exe().unwrap();
    assert_eq!(path.file_name().unwrap(), Path::new(&std::env::args().next().unwrap()).file_name().unwrap());
    assert!(std::fs::metadata(path).unwrap().len() > 100_000);
}

#[test]
fn arguments() {
    let output = child("arguments").args(["helper", "a b"]).output().unwrap();
    assert!(words(&output).contains("[\"helper\", \"a b\"]\n"), "{output:?}");
}

#[test]
fn an_id() {
    assert_ne!(process::id(), 0);
    assert_ne!(std::os::unix::process::parent_id(), process::id());
}
