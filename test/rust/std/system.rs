// SPDX-License-Identifier: MIT
//! Time, seeds, and the network that is not there.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::io::prelude::*;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant, SystemTime};

const EAFNOSUPPORT: i32 = 97;

#[test]
fn clocks() {
    let (start, wall) = (Instant::now(), SystemTime::now());
    let mut last = start;
    for _ in 0..10_000 {
        let now = Instant::now();
        assert!(now >= last);
        last = now;
    }
    std::thread::sleep(Duration::from_millis(10));
    assert!(start.elapsed() >= Duration::from_millis(10));
    assert!(wall.elapsed().unwrap() >= Duration::from_millis(9));
    let year = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 31_556_952 + 1970;
    assert!((2024..2200).contains(&year), "the year is {year}");
}

#[test]
fn maps_are_seeded() {
    let (one, two) = (RandomState::new(), RandomState::new());
    assert_ne!(one.hash_one(12345), two.hash_one(12345));
    assert_ne!(std::thread::spawn(|| RandomState::new().hash_one(1)).join().unwrap(), RandomState::new().hash_one(1));
    let mut hashed = HashMap::new();
    for n in 0..20_000_u32 {
        hashed.insert(n.to_string(), n);
    }
    hashed.retain(|_, n| *n % 3 == 0);
    let sorted: BTreeMap<_, _> = hashed.iter().map(|(k, v)| (*v, k.clone())).collect();
    assert_eq!((sorted.len(), hashed["19998"]), (6667, 19998));
}

#[test]
fn there_is_no_network() {
    assert_eq!(TcpStream::connect("127.0.0.1:80").unwrap_err().raw_os_error(), Some(EAFNOSUPPORT));
    assert_eq!(TcpListener::bind("0.0.0.0:80").unwrap_err().raw_os_error(), Some(EAFNOSUPPORT));
    assert_eq!(UdpSocket::bind("[::1]:0").unwrap_err().raw_os_error(), Some(EAFNOSUPPORT));
    assert!(TcpStream::connect("example.org:80").is_err());
}

#[test]
fn local_sockets_are_there() {
    let (mut one, mut two) = UnixStream::pair().unwrap();
    one.write_all(b"hello").unwrap();
    drop(one);
    let mut text = String::new();
    two.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

#[test]
fn floating_point_prints_and_parses() {
    assert_eq!(format!("{:?} {:e} {:.3}", 0.1 + 0.2, 6.02e23, std::f64::consts::PI), "0.30000000000000004 6.02e23 3.142");
    assert_eq!("1.7976931348623157e308".parse::<f64>().unwrap(), f64::MAX);
    assert!(((2.0_f64).powf(0.5).sin() - 0.987_765_945_992_735_5).abs() < 1e-15);
}
