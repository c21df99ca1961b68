//! The throw-away Redis keeps its promises.

use std::io::ErrorKind;

use testkit::redis::RedisServer;

#[test]
fn a_frozen_server_is_silent_until_it_is_thawed() {
    let server = RedisServer::start().unwrap();
    assert_eq!(server.ask("SET colour green").unwrap(), "+OK\r\n");

    server.freeze().unwrap();
    let silence = server.ask("GET colour").unwrap_err();
    assert!(
        matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{silence}"
    );

    server.thaw().unwrap();
    assert_eq!(server.ask("GET colour").unwrap(), "$5\r\ngreen\r\n");
}

#[test]
fn a_killed_server_refuses_and_a_restarted_one_is_empty() {
    let mut server = RedisServer::start().unwrap();
    assert_eq!(server.ask("SET colour green").unwrap(), "+OK\r\n");
    let url = server.url();

    server.kill_9().unwrap();
    assert_eq!(
        server.ask("PING").unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );

    server.restart().unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(server.ask("GET colour").unwrap(), "$-1\r\n");
}

#[test]
fn a_frozen_server_can_be_killed_and_its_folder_goes() {
    let mut server = RedisServer::start().unwrap();
    let folder = server.folder().to_owned();
    server.freeze().unwrap();
    server.kill_9().unwrap();
    server.restart().unwrap();
    server.freeze().unwrap();
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn a_flush_forgets_every_key() {
    let server = RedisServer::start().unwrap();
    assert_eq!(server.ask("SET colour green").unwrap(), "+OK\r\n");
    server.flush().unwrap();
    assert_eq!(server.ask("DBSIZE").unwrap(), ":0\r\n");
}
