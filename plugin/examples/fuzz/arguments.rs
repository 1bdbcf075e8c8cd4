//! What a guest passes: mostly what could mean something, often what does not.

use tokio_wasmedge_plugin::functions::{FUNCTIONS, Function, MOST_PARAMETERS};

use crate::random::Random;

/// What the guest knows.
pub struct Guest {
    size: u32,
    open: Vec<(&'static str, u32)>,
    closed: Vec<u32>,
    ports: Vec<u16>,
    /// Of the address that was written last.
    address_len: u64,
}

/// Options and the lengths of their values: level, name, length.
const OPTIONS: [[u64; 3]; 14] = [
    [1, 2, 4],
    [1, 15, 4],
    [1, 13, 8],
    [1, 20, 16],
    [1, 25, 16],
    [1, 17, 12],
    [1, 4, 4],
    [0, 2, 4],
    [0, 32, 12],
    [0, 35, 8],
    [41, 26, 4],
    [41, 20, 20],
    [6, 1, 4],
    [6, 13, 16],
];

impl Guest {
    pub fn new(size: u32) -> Guest {
        Guest {
            size,
            open: Vec::new(),
            closed: Vec::new(),
            ports: vec![0],
            address_len: 16,
        }
    }

    /// A function and its arguments, and what they need in the memory.
    pub fn next(
        &mut self,
        random: &mut Random,
        memory: &mut [u8],
    ) -> (usize, [u64; MOST_PARAMETERS]) {
        let mut index = random.below(FUNCTIONS.len());
        // What makes something, or little of it, is called less often.
        let rare = FUNCTIONS[index].parameters.is_empty() || FUNCTIONS[index].name == "close";
        if rare && !random.one_in(8) {
            index = random.below(FUNCTIONS.len());
        }
        let sockets = self.open.iter().filter(|(sort, _)| *sort == "socket");
        if sockets.count() < 4 && random.one_in(4) {
            let is_socket = |function: &Function| function.name == "socket";
            index = FUNCTIONS.iter().position(is_socket).unwrap_or(index);
        }
        let mut arguments = [0; MOST_PARAMETERS];
        let mut pointer = 0;
        let option = random.pick(&OPTIONS);
        for (i, (name, _)) in FUNCTIONS[index].parameters.iter().enumerate() {
            let mut value = self.argument(random, memory, name, pointer);
            let its_option = ["level", "name", "len"]
                .iter()
                .position(|part| part == name);
            let is_option = FUNCTIONS[index].name.ends_with("_option") && !random.one_in(10);
            if let Some(part) = its_option.filter(|_| is_option) {
                value = option[part];
            }
            if POINTERS.contains(name) {
                pointer = value as u32;
            }
            // What is above the bits that count may be anything.
            let above = if name_is_wide(name) {
                0
            } else {
                random.word() << 32
            };
            arguments[i] = value | above;
        }
        (index, arguments)
    }

    /// The first calls of some guests: a listener and a connection, which chance would take
    /// long to come to.
    pub fn scripted(
        &self,
        step: usize,
        memory: &mut [u8],
    ) -> Option<(usize, [u64; MOST_PARAMETERS])> {
        let open = |place: usize| {
            self.open
                .get(place)
                .map_or(0, |(_, number)| (*number).into())
        };
        let (name, arguments) = match step {
            0 | 4 => ("socket", [2, 1, 1, 0, 0, 0]),
            1 => {
                memory.get_mut(..16)?.copy_from_slice(&LOOPBACK);
                ("bind", [open(0), 0, 16, 0, 0, 0])
            }
            2 => ("listen", [open(0), 8, 0, 0, 0, 0]),
            3 => ("local_address", [open(0), 200, 0, 0, 0, 0]),
            5 => ("connect", [open(1), 204, 16, 0, 0, 0]),
            6 => ("accept", [open(0), 1, 400, 0, 0, 0]),
            _ => return None,
        };
        let index = FUNCTIONS
            .iter()
            .position(|function| function.name == name)?;
        Some((index, arguments))
    }

    /// What a call tells.
    pub fn learn(
        &mut self,
        function: &str,
        arguments: &[u64; MOST_PARAMETERS],
        value: i64,
        memory: &[u8],
    ) {
        let sort = match function {
            "socket" | "accept" | "duplicate" => "socket",
            "epoll_create" => "epoll",
            "event_create" => "event",
            "signals_open" => "signals",
            "stdin_open" => "stdin",
            _ => "",
        };
        if !sort.is_empty() {
            self.open.push((sort, value as u32));
        }
        let word = |at: u32| {
            let bytes = memory.get(at as usize..at as usize + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        match function {
            "pair" => {
                let at = arguments[2] as u32;
                let both = [word(at), word(at.wrapping_add(4))];
                self.open
                    .extend(both.into_iter().flatten().map(|number| ("socket", number)));
            }
            "close" => {
                let number = arguments[0] as u32;
                self.open.retain(|(_, open)| *open != number);
                self.closed.push(number);
            }
            "local_address" => {
                let at = arguments[1] as u32;
                if let Some(family) = word(at.wrapping_add(4)) {
                    let port = ((family >> 16) as u16).swap_bytes();
                    // Those of late are the ones that someone may listen on.
                    self.ports.extend([port; 4]);
                }
            }
            _ => {}
        }
    }

    /// A number for a parameter of this name; "descriptor" is of any sort.
    fn number(&self, random: &mut Random, name: &str) -> u32 {
        let fits = |sort: &str| sort == name || name == "descriptor";
        let fitting: Vec<u32> = (self.open.iter())
            .filter(|(sort, _)| fits(sort))
            .map(|(_, number)| *number)
            .collect();
        match random.below(20) {
            0 if !self.closed.is_empty() => random.pick(&self.closed),
            1 => random.below(64) as u32,
            2 => random.word() as u32,
            3 => 1 << 31 | random.below(8) as u32,
            4 if !self.open.is_empty() => random.pick(&self.open).1,
            _ if !fitting.is_empty() => random.pick(&fitting),
            _ => random.word() as u32,
        }
    }

    fn offset(&self, random: &mut Random) -> u32 {
        match random.below(10) {
            0 => random.word() as u32,
            1 => u32::MAX - random.below(200) as u32,
            2 => self.size.wrapping_sub(random.below(200) as u32),
            3 => 0,
            _ => random.below(self.size as usize + 1) as u32,
        }
    }

    fn len(&self, random: &mut Random, at: u32) -> u32 {
        match random.below(10) {
            0 => random.word() as u32,
            1 => self
                .size
                .wrapping_sub(at)
                .wrapping_add(random.below(3) as u32),
            2 => self.size.wrapping_sub(at),
            3 => 0,
            4 => random.pick(&[4, 8, 12, 16, 20]),
            _ => random.below(40) as u32,
        }
    }

    fn argument(&mut self, random: &mut Random, memory: &mut [u8], name: &str, at: u32) -> u64 {
        let any = random.word();
        if random.one_in(40) {
            return if name_is_wide(name) {
                any
            } else {
                any & 0xffff_ffff
            };
        }
        let small = random.below(8) as u64;
        match name {
            "socket" | "descriptor" | "epoll" | "event" | "signals" => {
                u64::from(self.number(random, name))
            }
            "address" | "at" | "iovecs" | "sends" | "entries" | "events" | "out" | "peer"
            | "from" | "out_flags" => {
                let at = self.offset(random);
                self.fill(random, memory, name, at);
                u64::from(at)
            }
            // An address that was just written is given whole most of the time.
            "len" if !random.one_in(4) => self.address_len,
            "len" => u64::from(self.len(random, at)),
            "family" => random.pick(&[1, 2, 10, 2, 10, 0, 16, 17]),
            "kind" => random.pick(&[1, 2, 1, 2, 3, 5]),
            "flags" => random.pick(&[0, 0, 1, 1, 2, 0x40, 0x100, 0x20, 0x8000]),
            "how" | "on" => random.below(4) as u64,
            "backlog" => random.pick(&[0, 1, 128, u64::from(u32::MAX)]),
            "level" => random.pick(&[1, 1, 0, 6, 41, 17, 2]),
            "name" => random.below(48) as u64,
            "interest" => random.pick(&[1, 4, 5, 7, 0x2005, 0x2000, 1 << 28]),
            "max" => random.pick(&[1, 8, 64, 1024, 2000, 0]),
            "count" => random.pick(&[0, 1, 2, 3, 16, 1024, 1025, 0x2000_0000]),
            "timeout" if random.one_in(10) => random.pick(&[100_000, 1 << 40, u64::MAX]),
            "timeout" => random.pick(&[0, 1, 1000]),
            "signal" => random.below(70) as u64,
            _ => small,
        }
    }

    /// Writes records that a call may find at `at`.
    fn fill(&mut self, random: &mut Random, memory: &mut [u8], name: &str, at: u32) {
        let Some(room) = memory.get_mut(at as usize..) else {
            return;
        };
        let mut bytes = Vec::new();
        let mut word = |value: u32| bytes.extend(value.to_le_bytes());
        match name {
            "address" => {
                let port = u32::from(random.pick(&self.ports).swap_bytes());
                match random.below(5) {
                    0 => word(0),
                    1 | 2 => [2 | port << 16, 0x0100_007f, 0, 0]
                        .into_iter()
                        .for_each(word),
                    3 => [
                        10 | port << 16,
                        0,
                        0,
                        0,
                        0,
                        0x0100_0000,
                        random.below(3) as u32,
                    ]
                    .into_iter()
                    .for_each(word),
                    // An abstract name, or a file in the current folder.
                    _ => {
                        let first = random.pick(&[0, u32::from(b's')]);
                        word(1 | first << 16 | (u32::from(b'a') + random.below(4) as u32) << 24);
                        word(0);
                    }
                }
            }
            "iovecs" => (0..3).for_each(|_| {
                let at = self.offset(random);
                word(at);
                word(self.len(random, at));
            }),
            "sends" => (0..3).for_each(|_| {
                let at = self.offset(random);
                word(self.number(random, "socket"));
                word(at);
                word(self.len(random, at));
                word(0);
            }),
            "entries" => (0..3).for_each(|_| {
                word(self.number(random, "descriptor"));
                word(random.below(64) as u32);
            }),
            _ if random.one_in(4) => {
                // No slashes: a name of a file would lead out of this folder.
                let any = (0..8).map(|_| random.word() as u32);
                any.filter(|word| !word.to_le_bytes().contains(&b'/'))
                    .for_each(word);
            }
            _ => word(1),
        }
        if name == "address" {
            self.address_len = bytes.len() as u64;
        }
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
    }
}

/// 127.0.0.1, any port.
const LOOPBACK: [u8; 16] = [2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Parameters that are addresses in the memory.
const POINTERS: [&str; 3] = ["at", "address", "iovecs"];

fn name_is_wide(name: &str) -> bool {
    ["data", "timeout"].contains(&name)
}
