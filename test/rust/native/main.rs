// SPDX-License-Identifier: MIT
//! What the crate `vectra` promises: compiled with `--test`, run inside as /test/rust-native, with the example's service as
//! /bin/tally. What must not compile lies in test/rust/refused.
use std::thread;
use std::time::Duration;
use vectra::mem::{Access, PAGE};
use vectra::ring::{self, create, PLAIN, WITH_CAPS};
use vectra::rpc::{Client, Payload, Server};
use vectra::signal::{self, Signal};
use vectra::{protocols, AnyCap, Bundle, Capability, Deadline, Error, Mem, Message, Narrow, Reticle, Rights, RingRx, RingTx};
use vectra::{Sem, Spec, Task};

fn word(n: u64) -> Message {
    Message { word: [n, 0, 0, 0, 0, 0, 0, !n] }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

#[test]
fn messages_come_in_order_and_a_full_ring_says_so() {
    let (mut tx, mut rx) = create(None, 4, PLAIN).unwrap();
    for n in 0..4 {
        tx.send(&word(n), Deadline::NOW).unwrap();
    }
    assert_eq!(tx.send(&word(4), Deadline::NOW), Err(Error::WouldBlock));
    assert_eq!(tx.send(&word(4), Deadline::after(Duration::from_millis(5))), Err(Error::TimedOut));
    for n in 0..4 {
        assert_eq!(rx.recv(Deadline::NOW), Ok(word(n)));
    }
    assert_eq!(rx.recv(Deadline::NOW), Err(Error::WouldBlock));
    assert_eq!(create(None, 3, PLAIN).unwrap_err(), Error::BadArgument);
    assert_eq!(create(None, 2 * vectra::limits::RING_SLOTS_MAX as u32, PLAIN).unwrap_err(), Error::TooBig);
}

#[test]
fn a_dropped_end_closes_the_ring_when_it_is_drained() {
    let (mut tx, mut rx) = create(None, 4, PLAIN).unwrap();
    tx.send(&word(1), Deadline::NOW).unwrap();
    drop(tx);
    assert_eq!(rx.recv(soon()), Ok(word(1)));
    assert_eq!(rx.recv(soon()), Err(Error::PeerClosed));
    let (mut tx, rx) = create(None, 4, PLAIN).unwrap();
    drop(rx);
    assert_eq!(tx.send(&word(1), soon()), Err(Error::PeerClosed));
}

#[test]
fn an_end_works_on_another_thread() {
    let (mut tx, mut rx) = create(None, 8, PLAIN).unwrap();
    let sender = thread::spawn(move || (0..500).try_for_each(|n| tx.send(&word(n), soon())));
    for n in 0..500 {
        assert_eq!(rx.recv(soon()), Ok(word(n)));
    }
    sender.join().unwrap().unwrap();
    assert_eq!(rx.recv(soon()), Err(Error::PeerClosed), "the thread's end went with it");
}

#[test]
fn what_is_sent_is_the_receivers() {
    let (mut tx, mut rx) = create(None, 4, WITH_CAPS).unwrap();
    let (mut inner, end) = create(None, 4, PLAIN).unwrap();
    tx.send_cap(&word(7), end, soon()).unwrap();
    assert_eq!(rx.recv(Deadline::NOW), Err(Error::WrongType), "a capability must be taken with its message");
    let (message, cap) = rx.recv_cap(soon()).unwrap();
    assert_eq!(message, word(7));
    let cap: AnyCap = cap.unwrap().downcast::<Mem>().unwrap_err(); // it is none, and comes back
    let mut end: RingRx = cap.downcast().unwrap();
    inner.send(&word(8), soon()).unwrap();
    assert_eq!(end.recv(soon()), Ok(word(8)));
    drop(end);
    assert_eq!(inner.send(&word(9), soon()), Err(Error::PeerClosed));
}

#[test]
fn what_could_be_copied_is_gone_too_once_sent() {
    let (mut tx, mut rx) = create(None, 4, WITH_CAPS).unwrap();
    let mem = Mem::of_bytes(b"shared").unwrap();
    let loan = mem.narrow(Rights::READ | Rights::COPY | Rights::MOVE | Rights::INSPECT).unwrap();
    tx.send_cap(&word(0), loan, soon()).unwrap();
    let lent: Mem = rx.recv_cap(soon()).unwrap().1.unwrap().downcast().unwrap();
    let mut bytes = [0; 6];
    lent.map(Access::Read).unwrap().read(0, &mut bytes);
    assert_eq!(&bytes, b"shared");
    assert_eq!(mem.revoke(), Ok(1), "the loan, and no second copy of it");
    assert!(lent.map(Access::Read).is_err());
}

#[test]
fn what_is_refused_is_still_here() {
    let (mut tx, _rx) = create(None, 4, PLAIN).unwrap(); // carries no capabilities
    let (mut inner, end) = create(None, 4, PLAIN).unwrap();
    let refused = tx.send_cap(&word(0), end, soon()).unwrap_err();
    assert_eq!(refused.error, Error::NotSupported);
    inner.send(&word(1), soon()).unwrap();
    let mut end = refused.cap;
    assert_eq!(end.recv(soon()), Ok(word(1)));
}

#[test]
fn rights_only_shrink() {
    let mem = Mem::alloc(None, 100).unwrap();
    assert_eq!(mem.bytes(), Ok(PAGE));
    let weaker = mem.narrow(Rights::READ | Rights::COPY | Rights::INSPECT).unwrap();
    assert!(!weaker.inspect().unwrap().rights().contains(Rights::WRITE));
    assert_eq!(weaker.map(Access::Write).unwrap_err(), Error::NoRights);
    assert_eq!(weaker.narrow(Rights::READ | Rights::WRITE).unwrap_err(), Error::NoRights);
    assert_eq!(format!("{:?}", Rights::READ | Rights::COPY), "[READ, COPY]");
    let last = weaker.narrow_range(Rights::READ | Rights::INSPECT, 96, 4).unwrap();
    assert_eq!(last.bytes(), Ok(4));
}

#[test]
fn a_mapping_is_shared_and_has_an_end() {
    let mem = Mem::of_bytes(&[5; 5000]).unwrap();
    let (one, two) = (mem.map(Access::Write).unwrap(), mem.map(Access::Read).unwrap());
    one.write(4998, &[1, 2]);
    let mut bytes = [0; 4];
    two.read(4996, &mut bytes);
    assert_eq!(bytes, [5, 5, 1, 2]);
    assert_eq!(one.len(), 2 * PAGE);
    let beyond = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| two.read(2 * PAGE - 3, &mut [0; 4])));
    assert!(beyond.is_err());
    let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| two.write(0, &[0])));
    assert!(written.is_err(), "it was mapped to be read");
}

#[test]
fn nothing_is_left_behind() {
    for _ in 0..vectra::limits::CAP_SLOTS_DEFAULT + 8 {
        let (mut tx, rx) = create(None, 2, WITH_CAPS).unwrap();
        let mem = Mem::alloc(None, PAGE).unwrap();
        tx.send_cap(&word(0), mem.narrow(Rights::READ | Rights::COPY).unwrap(), soon()).unwrap();
        let _mapped = mem.map(Access::Write).unwrap();
        drop(rx); // with a message in it that nobody took
    }
}

#[test]
fn signals() {
    let (mine, other) = (Signal::new(40).unwrap(), Signal::new(41).unwrap());
    assert_eq!(Signal::new(64), None);
    let (mut tx, mut rx) = create(None, 4, PLAIN).unwrap();
    rx.bind(mine).unwrap();
    assert_eq!(signal::wait(mine.mask(), Deadline::NOW), Err(Error::WouldBlock));
    tx.send(&word(3), soon()).unwrap();
    assert_eq!(signal::wait(mine.mask() | other.mask(), soon()), Ok(mine.mask()));
    assert_eq!(rx.recv(Deadline::NOW), Ok(word(3)));
    signal::post(None, other.mask()).unwrap();
    assert_eq!(signal::wait(mine.mask() | other.mask(), soon()), Ok(other.mask()));
    drop(tx);
    assert_eq!(signal::wait(mine.mask(), soon()), Ok(mine.mask()), "the other end went");
}

#[test]
fn a_reticle_pays_and_gets_back() {
    let reticle = Reticle::carve(None, 1 << 20).unwrap();
    let (total, free) = reticle.bytes().unwrap();
    assert_eq!(total, 1 << 20);
    let mem = Mem::alloc(Some(&reticle), 100 * PAGE).unwrap();
    assert!(reticle.bytes().unwrap().1 <= free - 100 * PAGE as u64);
    assert_eq!(Mem::alloc(Some(&reticle), 1 << 20).unwrap_err(), Error::NoMemory);
    drop(mem);
    assert_eq!(reticle.bytes().unwrap().1, free);
}

fn image() -> Mem {
    Mem::read_file("/bin/tally").unwrap()
}

#[test]
fn a_child_has_what_it_was_given() {
    let (client, server) = Client::pair().unwrap();
    let mut spec = Spec::new();
    spec.int("memory", 256 << 10).unwrap().args(&["tally", "two words", ""]).unwrap();
    spec.give("requests.rx", server.requests, Rights::OF_RX).unwrap();
    spec.give("replies.tx", server.replies.unwrap(), Rights::OF_TX).unwrap();
    let task = spec.spawn(&image()).unwrap();
    let mut client = client;
    let mut question = Payload::new();
    question.put_bytes::<48>(0, b"one two").unwrap();
    let (answer, cap) = client.call(1, &question, None).unwrap();
    assert_eq!((u64::from_le_bytes(answer.get(0)), cap.is_none()), (2, true));
    assert_eq!(client.call(77, &question, None).unwrap_err(), Error::NotSupported);
    drop(client);
    assert!(task.wait().unwrap().is_success());
}

#[test]
fn a_child_with_nothing_says_so() {
    let task = Spec::new().spawn(&image()).unwrap();
    let ended = task.wait().unwrap();
    assert_eq!((ended.status, ended.cause, ended.is_success()), (2, 0, false));
}

#[test]
fn a_child_that_is_not_started_leaves_nothing() {
    let (mut tx, rx) = create(None, 4, PLAIN).unwrap();
    let mut spec = Spec::new();
    spec.give("requests.rx", rx, Rights::OF_RX).unwrap();
    let junk = Mem::of_bytes(b"not a program").unwrap();
    assert_eq!(spec.spawn(&junk).unwrap_err(), Error::BadImage);
    assert_eq!(tx.send(&word(0), soon()), Err(Error::PeerClosed), "what was given went with the specification");
}

#[test]
fn a_specification_has_its_limits() {
    let mut spec = Spec::new();
    assert_eq!(spec.int("", 1).unwrap_err(), Error::BadArgument);
    assert_eq!(spec.int("a name of 24 characters.", 1).unwrap_err(), Error::BadArgument);
    spec.int("a name of 23 characters", 1).unwrap();
    assert_eq!(spec.int("a name of 23 characters", 2).unwrap_err(), Error::BadArgument);
    assert_eq!(spec.bytes("much", &[0; 4096]).unwrap_err(), Error::TooBig);
    spec.bytes("some", &[0; 1000]).unwrap();
    let mem = Mem::alloc(None, PAGE).unwrap();
    for n in 0..Spec::<4096>::GIVEN_MAX {
        spec.give(&format!("cap.{n}"), mem.narrow(Rights::READ).unwrap(), Rights::READ).unwrap();
    }
    assert_eq!(spec.give("one more", mem.narrow(Rights::READ).unwrap(), Rights::READ).unwrap_err(), Error::TooBig);
}

#[test]
fn a_capability_of_the_bundle_is_taken_once() {
    let bundle = Bundle::own();
    assert_eq!(bundle.task_id(), std::process::id());
    assert!(bundle.take::<Mem>("no such thing").is_none());
    assert!(bundle.take::<Sem>("initrd").is_none(), "it is memory");
    let initrd: Mem = bundle.take("initrd").expect("the shell hands it on");
    assert!(bundle.take::<Mem>("initrd").is_none());
    assert!(initrd.bytes().unwrap() > PAGE);
    std::mem::forget(initrd); // the C library uses it too
    let args: Vec<_> = bundle.args().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    assert_eq!(args, std::env::args().collect::<Vec<_>>());
    assert!(bundle.bytes("env").is_some() && bundle.int("env").is_none());
}

#[test]
fn services_written_in_c_answer() {
    let mut names = Client::from_bundle("naming").unwrap();
    let mut seen = Vec::new();
    let mut next = 0;
    while let Ok(row) = protocols::naming::list(&mut names, next) {
        seen.push(String::from_utf8(row.name.to_vec()).unwrap());
        next = row.next;
        if next == 0 || seen.len() > 99 {
            break;
        }
    }
    assert!(seen.iter().any(|name| name == "topo"), "{seen:?}");
    let mut topo = Client::connect(&mut names, "topo").unwrap();
    let told = protocols::topo::summary(&mut topo).unwrap();
    assert_eq!(told.harts.to_string(), std::env::var("HARTS").unwrap());
    assert_eq!(told.arch, if cfg!(target_arch = "x86_64") { 62 } else { 183 });
    assert_eq!(protocols::topo::hart(&mut topo, 4096).unwrap_err(), Error::NotFound);
    assert_eq!(protocols::naming::withdraw(&mut names, &[b'n'; 33]).unwrap_err(), Error::TooBig);
    assert_eq!(Client::connect(&mut names, "nothing").unwrap_err(), Error::NoRights);
}

#[test]
fn a_connection_made_in_halves() {
    let (mut tx, requests) = create(None, 4, WITH_CAPS).unwrap();
    let server = thread::spawn(move || Server { requests, replies: None }.serve(|request| Ok(request.payload)));
    let (replies, rx) = create(None, 4, WITH_CAPS).unwrap();
    tx.send_cap(&Message { word: [0xffff, 0, 0, 0, 0, 0, 0, 0] }, replies, soon()).unwrap();
    let mut client = Client::new(tx, rx);
    let mut question = Payload::new();
    question.put(48, 42_u64.to_le_bytes());
    let (answer, _) = client.call(5, &question, None).unwrap();
    assert_eq!(u64::from_le_bytes(answer.get(48)), 42);
    drop(client);
    server.join().unwrap().unwrap();
}

#[test]
fn a_late_reply_is_recognised() {
    let (client, mut server) = Client::pair().unwrap();
    let mut client = client;
    let other = thread::spawn(move || {
        let request = server.next().unwrap();
        let stale = Message { word: [0x7777_0001, 1, 0, 0, 0, 0, 0, 0] }; // another call's number
        server.replies.as_mut().unwrap().send(&stale, soon()).unwrap();
        server.answer(&request, Err(Error::Busy)).unwrap();
    });
    assert_eq!(client.call(1, &Payload::new(), None).unwrap_err(), Error::Busy);
    other.join().unwrap();
}

#[test]
fn bytes_that_claim_to_be_more_than_they_can_are_a_broken_protocol() {
    let mut payload = Payload::new();
    payload.put(0, [49]);
    assert_eq!(payload.bytes::<48>(0).unwrap_err(), Error::PeerClosed);
    payload.put(0, [48]);
    assert_eq!(payload.bytes::<48>(0).unwrap().len(), 48);
    assert_eq!(payload.put_bytes::<3>(0, b"four"), Err(Error::TooBig));
}

#[test]
fn errors_have_their_numbers() {
    for number in -32..0 {
        let error = Error::from_number(number).unwrap();
        assert_eq!(error as i32, number);
        assert!(!error.text().is_empty());
    }
    assert_eq!((Error::from_number(0), Error::from_number(1), Error::from_number(-63)), (None, None, None));
    assert_eq!(std::io::Error::from(Error::NoRights).kind(), std::io::ErrorKind::PermissionDenied);
    assert_eq!(unsafe { vectra::abi::raw::cap_drop(0) }, Err(Error::BadHandle));
    assert_eq!(unsafe { vectra::abi::raw::fp_clobber() }, Err(Error::NotSupported));
}

#[test]
fn a_call_goes_there_and_back() {
    let ((mut to, mut for_server), (mut from_server, mut back)) =
        (create(None, 4, PLAIN).unwrap(), create(None, 4, PLAIN).unwrap());
    let server = thread::spawn(move || -> Result<RingTx, Error> {
        for _ in 0..200 {
            let asked = for_server.recv(soon())?;
            from_server.send(&word(asked.word[0] + 1), soon())?;
        }
        Ok(from_server)
    });
    for n in 0..200 {
        let (answer, cap) = ring::call(&mut to, &word(n), &mut back, soon()).unwrap();
        assert_eq!((answer, cap.is_none()), (word(n + 1), true));
    }
    assert!(server.join().unwrap().is_ok());
}

#[test]
fn a_destroyed_child_tells_its_signal() {
    let bit = Signal::new(44).unwrap();
    let (client, server) = Client::pair().unwrap();
    let mut spec = Spec::new();
    spec.give("requests.rx", server.requests, Rights::OF_RX).unwrap();
    spec.give("replies.tx", server.replies.unwrap(), Rights::OF_TX).unwrap();
    let task = spec.spawn(&image()).unwrap();
    task.bind(bit).unwrap();
    let second = task.narrow(Rights::WAIT | Rights::INSPECT).unwrap();
    Task::destroy(task).unwrap();
    assert_eq!(signal::wait(bit.mask(), soon()), Ok(bit.mask()));
    assert_eq!(second.wait().unwrap().cause, 1); // destroyed
    drop(client);
}
