//! Who asks at the admin listener? What single requests hold is shown only to somebody who could read this process's
//! memory anyway: on this machine, as our own user or as root, and not a page in such a user's browser.

use http::{HeaderMap, header};
use std::{
    fs,
    net::{IpAddr, SocketAddr},
    os::unix::fs::MetadataExt as _,
};

/// The two ends of a connection to the admin listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// The client's.
    pub(super) peer: SocketAddr,
    /// Ours.
    pub(super) own: SocketAddr,
}

/// Says why the client of this connection is not trusted; `None` where it is.
pub(super) fn distrust(ends: Ends, headers: &HeaderMap) -> Option<&'static str> {
    let Ends { peer, own } = ends;
    if !peer.ip().to_canonical().is_loopback() {
        return Some("only from this machine, over loopback");
    }
    // A page whose name was made to lead here still sends its own name.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = host.and_then(|host| host.parse::<SocketAddr>().ok());
    if named.is_none_or(|named| !named.ip().to_canonical().is_loopback()) {
        return Some("name the loopback address in Host");
    }
    // A browser says where a request comes from, and names no origin where a page only embeds the answer.
    let site = headers.get("sec-fetch-site");
    if headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != "none") {
        return Some("to no page in a browser");
    }
    let user = fs::metadata("/proc/self").ok().map(|process| process.uid());
    let client = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| owner(&table, peer, own));
    match client {
        Some(client) if client == 0 || Some(client) == user => None,
        Some(_) => Some("only to the user that runs Hookway"),
        None => Some("the system does not say which user asks"),
    }
}

/// Returns the user that holds the socket from `peer` to `own`, from the kernel's table of sockets.
fn owner(table: &str, peer: SocketAddr, own: SocketAddr) -> Option<u32> {
    let forms = |address: SocketAddr| {
        let canonical = SocketAddr::new(address.ip().to_canonical(), address.port());
        [written(canonical), written(address)]
    };
    let (peers, owns) = (forms(peer), forms(own));
    table.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (local, remote) = (words.next()?, words.next()?);
        let is_it = peers.iter().any(|peer| peer == local) && owns.iter().any(|own| own == remote);
        // Behind the addresses: state, queues, timer, retransmits, and then the user.
        words.nth(4).filter(|_| is_it)?.parse().ok()
    })
}

/// Writes an address as that table does: words of 32 bits in the machine's order.
fn written(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).filter_map(|word| Some(u32::from_ne_bytes(word.try_into().ok()?)));
    let words: Vec<String> = words.map(|word| format!("{word:08X}")).collect();
    format!("{}:{:04X}", words.concat(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn headers(host: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::HOST, host.parse().unwrap())])
    }

    fn connected(address: &str) -> Option<(Ends, TcpStream)> {
        let listener = TcpListener::bind(address).ok()?;
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        Some((Ends { peer, own: stream.local_addr().unwrap() }, client))
    }

    #[test]
    fn our_own_user_on_this_machine_is_trusted_over_both_families() {
        // A machine may have no IPv6.
        for (ends, _client) in ["127.0.0.1:0", "[::1]:0"].into_iter().filter_map(connected) {
            assert_eq!(distrust(ends, &headers(&ends.own.to_string())), None);
        }
    }

    #[test]
    fn a_page_a_stranger_and_another_machine_are_not() {
        let (ends, _client) = connected("127.0.0.1:0").unwrap();
        for host in ["evil.example:9090", "localhost.evil.example", "10.0.0.1:9090"] {
            assert!(distrust(ends, &headers(host)).is_some(), "{host}");
        }
        let with = |name: &'static str, value: &str| {
            let mut headers = headers("127.0.0.1:9090");
            headers.insert(name, value.parse().unwrap());
            distrust(ends, &headers)
        };
        let page = Some("to no page in a browser");
        assert_eq!(with("origin", "http://evil.example"), page);
        for site in ["cross-site", "same-site", "same-origin", ""] {
            assert_eq!(with("sec-fetch-site", site), page, "{site}");
        }
        assert_eq!(with("sec-fetch-site", "none"), None, "what the user typed");
        let far = Ends { peer: "192.0.2.1:5".parse().unwrap(), ..ends };
        assert!(distrust(far, &headers("127.0.0.1:9090")).is_some());
        let gone = Ends { peer: "127.0.0.1:1".parse().unwrap(), ..ends };
        assert_eq!(
            distrust(gone, &headers("127.0.0.1:9090")),
            Some("the system does not say which user asks")
        );
    }

    #[test]
    fn the_user_stands_in_the_kernels_table() {
        let line =
            "   0: 0100007F:C001 0100007F:2382 01 00000000:00000000 00:00000000 00000000  1000        0 12";
        let (peer, own) = ("127.0.0.1:49153".parse().unwrap(), "127.0.0.1:9090".parse().unwrap());
        assert_eq!(owner(line, peer, own), Some(1000));
        assert_eq!(owner(line, own, peer), None);
    }
}
