//! The expansion of [`entry!`](crate::entry!), argument by argument.
//!
//! `@object` handles the first argument. `@argument` handles one of the others in each step, and
//! collects C's arguments and the statements that convert them. By macro hygiene, names that a step
//! introduces (`data`, `len`) stay distinct even if a kind of argument occurs more than once.

/// The steps of [`entry!`](crate::entry!).
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    (@object $head:tt $object:ident : &mut $type:ty $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head [exclusive exclusive_objects_need_a_result pointer $object [&mut $type]] _call
            [pointer: *mut ::std::ffi::c_void,] [] $($($rest)*)? }
    };
    (@object $head:tt $object:ident : &Arc<$type:ty> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head [counted query_counted pointer $object [&::std::sync::Arc<$type>]] _call
            [pointer: *mut ::std::ffi::c_void,] [] $($($rest)*)? }
    };
    (@object $head:tt $object:ident : const &Arc<$type:ty> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head [counted query_counted pointer $object [&::std::sync::Arc<$type>]] _call
            [pointer: *const ::std::ffi::c_void,] [] $($($rest)*)? }
    };
    (@object $head:tt $object:ident : &$type:ty $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head [shared query pointer $object [&$type]] _call
            [pointer: *const ::std::ffi::c_void,] [] $($($rest)*)? }
    };
    (@object $head:tt $host:ident in $slot:expr $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head [within $host ($slot)] _call [] [] $($($rest)*)? }
    };
    (@object $head:tt $($rest:tt)*) => {
        $crate::__entry! { @argument $head [no_object] _call [] [] $($rest)* }
    };

    // Each kind of argument: what C passes, and what the body receives. C guarantees what
    // `arguments` states for each.
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Bytes($what:literal) $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* data: *const ::std::ffi::c_uchar, len: usize,]
            [$($set)*
                // SAFETY: C passes such data.
                let $argument = unsafe { $crate::entry::bytes(&$call, data, len) }
                    .ok_or($crate::entry::NullPointer($what))?;]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Option<Bytes> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* data: *const ::std::ffi::c_uchar, len: usize,]
            [$($set)*
                // SAFETY: C passes such data.
                let $argument = unsafe { $crate::entry::optional_bytes(&$call, data, len) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Input($what:literal) $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* data: *const ::std::ffi::c_uchar, len: usize,]
            [$($set)*
                // SAFETY: C passes such data.
                let $argument = unsafe { $crate::entry::Input::new(&$call, data, len, $what) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Reference $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* data: *const ::std::ffi::c_void, len: usize,]
            [$($set)*
                // SAFETY: C passes such data.
                let $argument = unsafe { $crate::entry::reference(&$call, data, len) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Option<Text> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* text: *const ::std::ffi::c_char,]
            [$($set)*
                // SAFETY: C passes such a text.
                let $argument = unsafe { $crate::entry::text(&$call, text) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Output($what:literal) $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* buffer: *mut ::std::ffi::c_uchar, len: *mut usize, size: usize,]
            [$($set)*
                // SAFETY: C passes such room.
                let $argument = unsafe { $crate::entry::output(&$call, buffer, len, size) }
                    .ok_or($crate::entry::NullPointer($what))?;]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Option<Output> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* buffer: *mut ::std::ffi::c_uchar, len: *mut usize, size: usize,]
            [$($set)*
                // SAFETY: C passes such room.
                let $argument = unsafe { $crate::entry::output(&$call, buffer, len, size) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Params $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* first: *const $crate::Param,]
            [$($set)*
                // SAFETY: C passes such an array.
                let $argument = unsafe { $crate::entry::params(&$call, first) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Answers $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* first: *mut $crate::Param,]
            [$($set)*
                // SAFETY: C passes such an array.
                let $argument = &mut unsafe { $crate::entry::answers(&$call, first) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Option<Place<$type:ty>> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* place: *mut $type,]
            [$($set)*
                // SAFETY: C passes such a place.
                let $argument = unsafe { $crate::entry::place::<$type>(&$call, place) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Option<&$type:ty> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* other: *const ::std::ffi::c_void,]
            [$($set)*
                // SAFETY: C passes such an object.
                let $argument = unsafe { $crate::entry::object::<$type>(&$call, other) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Option<Arc<$type:ty>> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* other: *mut ::std::ffi::c_void,]
            [$($set)*
                // SAFETY: C passes such an object.
                let $argument = unsafe { $crate::entry::count::<$type>(&$call, other) };]
            $($($rest)*)? }
    };
    (@argument $head:tt [$guard:ident $query:ident $pointer:ident $value:ident $type:tt] $call:ident
        [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Bio($what:literal) $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head [$guard $query $pointer $value $type] $call
            [$($raw)* bio: *mut $crate::CoreBio,]
            [$($set)*
                // A copy, so that the object itself is not borrowed.
                let host = { use $crate::guard::Object as _; *$value.host() };
                // SAFETY: C passes such a BIO.
                let $argument = &mut unsafe { $crate::entry::bio(&$call, &host, bio) }
                    .ok_or($crate::entry::NullPointer($what))?;]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Callback($what:literal) $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* function: Option<$crate::types::Callback>, with: *mut ::std::ffi::c_void,]
            [$($set)*
                // SAFETY: C passes such a function.
                let $argument = unsafe { $crate::entry::callback(&$call, function, with) }
                    .ok_or($crate::entry::NullPointer($what))?;]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Option<Callback> $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* function: Option<$crate::types::Callback>, with: *mut ::std::ffi::c_void,]
            [$($set)*
                // SAFETY: C passes such a function.
                let $argument = unsafe { $crate::entry::callback(&$call, function, with) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : Passphrase $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* function: Option<$crate::types::PassphraseCallback>,
                with: *mut ::std::ffi::c_void,]
            [$($set)*
                // SAFETY: C passes such a function.
                let $argument = unsafe { $crate::entry::passphrase(&$call, function, with) };]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : $type:ty as $number:ty $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* number: $number,]
            [$($set)* let $argument = <$type as ::std::convert::From<$number>>::from(number);]
            $($($rest)*)? }
    };
    (@argument $head:tt $object:tt $call:ident [$($raw:tt)*] [$($set:tt)*]
        $argument:ident : $type:ty $(, $($rest:tt)*)?) => {
        $crate::__entry! { @argument $head $object $call
            [$($raw)* $argument: $type,] [$($set)*] $($($rest)*)? }
    };

    // All arguments are done: emit the function.
    (@argument
        [[$($meta:tt)*] [$vis:vis] $name:ident [$($generics:tt)*] $trace:literal [$ret:ty] $body:block try $stack:ident]
        [$guard:ident $query:ident $pointer:ident $value:ident [$($type:tt)*]] $call:ident
        [$($raw:tt)*] [$($set:tt)*]
    ) => {
        $($meta)*
        $vis unsafe extern "C" fn $name $($generics)* ($($raw)*)
            -> <$ret as $crate::guard::Outcome>::Raw
        {
            let body = |$value: $($type)*| -> $ret {
                let $call = $crate::entry::Call::new();
                $($set)*
                $body
            };
            // SAFETY: C passes a valid object, as documented at `entry!`.
            unsafe { $crate::guard::$guard($crate::guard::$stack, $trace, $pointer, body) }
        }
    };
    (@argument
        [
            [$($meta:tt)*] [$vis:vis] $name:ident [$($generics:tt)*] $trace:literal [$ret:ty] $body:block
            or $otherwise:tt
        ]
        [$guard:ident $query:ident $pointer:ident $value:ident [$($type:tt)*]] $call:ident
        [$($raw:tt)*] [$($set:tt)*]
    ) => {
        $($meta)*
        $vis unsafe extern "C" fn $name $($generics)* ($($raw)*) -> $ret {
            let body = |$value: $($type)*| -> $ret {
                let $call = $crate::entry::Call::new();
                $($set)*
                $body
            };
            // SAFETY: C passes a valid object, as documented at `entry!`.
            unsafe { $crate::guard::$query($trace, $pointer, $otherwise, body) }
        }
    };
    (@argument
        [
            [$($meta:tt)*] [$vis:vis] $name:ident [$($generics:tt)*] $trace:literal [$ret:ty] $body:block
            or $otherwise:tt
        ]
        [no_object] $call:ident [$($raw:tt)*] [$($set:tt)*]
    ) => {
        $($meta)*
        $vis unsafe extern "C" fn $name $($generics)* ($($raw)*) -> $ret {
            let body = || -> $ret {
                let $call = $crate::entry::Call::new();
                $($set)*
                $body
            };
            $crate::guard::catch_panic($trace, $otherwise, body)
        }
    };
    (@argument
        [[$($meta:tt)*] [$vis:vis] $name:ident [$($generics:tt)*] $trace:literal [$ret:ty] $body:block try $stack:ident]
        [within $host:ident $slot:tt] $call:ident [$($raw:tt)*] [$($set:tt)*]
    ) => {
        $($meta)*
        $vis unsafe extern "C" fn $name $($generics)* ($($raw)*)
            -> <$ret as $crate::guard::Outcome>::Raw
        {
            $crate::guard::within($crate::guard::$stack, $trace, $slot, |$host| -> $ret {
                let $call = $crate::entry::Call::new();
                $($set)*
                $body
            })
        }
    };
    (@argument
        [
            [$($meta:tt)*] [$vis:vis] $name:ident [$($generics:tt)*] $trace:literal [$ret:ty] $body:block
            or $otherwise:tt
        ]
        [within $host:ident $slot:tt] $call:ident [$($raw:tt)*] [$($set:tt)*]
    ) => {
        $($meta)*
        $vis unsafe extern "C" fn $name $($generics)* ($($raw)*) -> $ret {
            $crate::guard::query_within($trace, $slot, $otherwise, |$host| -> $ret {
                let $call = $crate::entry::Call::new();
                $($set)*
                $body
            })
        }
    };
}
