//! Closed sets of words, each with its name in metrics and its words for an operator.

/// An enum with `ALL`, `name` and `texts`.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident $text:literal, $chinese:literal, $english:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The name in metrics and records.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// What an operator reads: Chinese, English.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $($name::$variant => ($chinese, $english),)* }
            }
        }
    };
}

pub(crate) use named;
