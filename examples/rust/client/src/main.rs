// SPDX-License-Identifier: MIT
//! Starts the service, gives it two Ring ends and no other authority, has words counted, and lends it memory. Then it asks two
//! services that are written in C, over Rings of the same kind. With `--graph` it asks the service that initd started.
use std::error::Error;
use vectra::protocols::{naming, topo};
use vectra::rpc::{Client, Payload};
use vectra::{Capability, Mem, Narrow, Rights, Spec};

const COUNT: u16 = 1;
const LEND: u16 = 2;

/// The service, started from its image.
fn start(path: &str) -> Result<(Client, vectra::Task), Box<dyn Error>> {
    let (client, server) = Client::pair()?;
    let mut spec = Spec::new();
    spec.int("memory", 256 << 10)?
        .bytes("name", b"tally")?
        .give("requests.rx", server.requests, Rights::OF_RX)?
        .give("replies.tx", server.replies.ok_or("a whole pair has both ends")?, Rights::OF_TX)?;
    Ok((client, spec.spawn(&Mem::read_file(path)?)?))
}

fn count(service: &mut Client, text: &str) -> Result<u64, vectra::Error> {
    let mut question = Payload::new();
    question.put_bytes::<48>(0, text.as_bytes())?;
    let (answer, _) = service.call(COUNT, &question, None)?;
    Ok(u64::from_le_bytes(answer.get(0)))
}

/// Two clients, one after the other.
fn ask_the_graph() -> Result<(), Box<dyn Error>> {
    let mut names = Client::from_bundle("naming")?;
    for text in ["one two three", "four five"] {
        println!("{text}: {}", count(&mut Client::connect(&mut names, "tally")?, text)?);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some("--graph") {
        return ask_the_graph();
    }
    let (mut service, task) = start(&std::env::args().nth(1).ok_or("usage: tally-client IMAGE")?)?;
    println!("one, two, three: {}", count(&mut service, "one two three")?);

    // A weaker capability of the same memory: to be read and moved on, nothing more. Sent, it is the service's.
    let memory = Mem::of_bytes("and these four words\n".repeat(1000).as_bytes())?;
    let loan = memory.narrow(Rights::READ | Rights::MOVE | Rights::INSPECT)?;
    let (answer, _) = service.call(LEND, &Payload::new(), Some(loan.into()))?;
    println!("with those of the loan: {}", u64::from_le_bytes(answer.get(0)));
    println!("capabilities of the memory that are left elsewhere: {}", memory.revoke()?);
    println!("a call that it does not know: {}", service.call(99, &Payload::new(), None).unwrap_err());

    drop(service); // both ends: the service sees it, and ends
    println!("it ended well: {}", task.wait()?.is_success());

    let mut names = Client::from_bundle("naming")?;
    let mut topology = Client::connect(&mut names, "topo")?;
    println!("harts, says the topology service: {}", topo::summary(&mut topology)?.harts);
    let refused = naming::grant(&mut names, 1, naming::MAY_CONNECT, b"disk").unwrap_err();
    println!("granting oneself a name: {refused}");
    Ok(())
}
