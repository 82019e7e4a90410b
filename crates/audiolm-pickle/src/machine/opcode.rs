//! The instructions, as `pickletools` of Python names them.

/// Defines the instructions with their bytes, by what they work on.
macro_rules! opcodes {
    ($($group:ident { $($name:ident = $byte:literal),* $(,)? })*) => {
        /// An instruction.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Opcode { $($($name,)*)* }

        impl Opcode {
            /// The instruction of a byte.
            pub(super) fn of(byte: u8) -> Option<Self> {
                match byte {
                    $($($byte => Some(Self::$name),)*)*
                    _ => None,
                }
            }

            /// What it works on.
            pub(super) fn group(self) -> Group {
                match self {
                    $($(Self::$name => Group::$group,)*)*
                }
            }
        }
    };
}

/// What an instruction works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Frame,
    Scalar,
    Collection,
    Memo,
    Object,
}

opcodes! {
    Frame { Proto = 0x80, Frame = 0x95, Stop = b'.' }
    Scalar {
        None = b'N',
        NewTrue = 0x88,
        NewFalse = 0x89,
        Int = b'I',
        BinInt = b'J',
        BinInt1 = b'K',
        BinInt2 = b'M',
        Long = b'L',
        Long1 = 0x8a,
        Long4 = 0x8b,
        Float = b'F',
        BinFloat = b'G',
        String = b'S',
        BinString = b'T',
        ShortBinString = b'U',
        Unicode = b'V',
        BinUnicode = b'X',
        ShortBinUnicode = 0x8c,
        BinUnicode8 = 0x8d,
        BinBytes = b'B',
        ShortBinBytes = b'C',
        BinBytes8 = 0x8e,
        ByteArray8 = 0x96,
    }
    Collection {
        Mark = b'(',
        Pop = b'0',
        PopMark = b'1',
        Dup = b'2',
        EmptyTuple = b')',
        Tuple = b't',
        Tuple1 = 0x85,
        Tuple2 = 0x86,
        Tuple3 = 0x87,
        EmptyList = b']',
        List = b'l',
        Append = b'a',
        Appends = b'e',
        EmptyDict = b'}',
        Dict = b'd',
        SetItem = b's',
        SetItems = b'u',
        EmptySet = 0x8f,
        AddItems = 0x90,
        FrozenSet = 0x91,
    }
    Memo {
        Get = b'g',
        BinGet = b'h',
        LongBinGet = b'j',
        Put = b'p',
        BinPut = b'q',
        LongBinPut = b'r',
        Memoize = 0x94,
    }
    Object {
        Global = b'c',
        StackGlobal = 0x93,
        Reduce = b'R',
        Build = b'b',
        Inst = b'i',
        Obj = b'o',
        NewObj = 0x81,
        NewObjEx = 0x92,
        PersId = b'P',
        BinPersId = b'Q',
    }
}
