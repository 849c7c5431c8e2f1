//! Child contexts: another provider may make one (`OSSL_LIB_CTX_new_child`), in which all providers
//! of its host are, ours among them.
//!
//! libcrypto gives a child our provider context and our function table, and tells neither us nor
//! anybody else which context is asking. Children ask their providers in the order of their names,
//! so ours would be the first that a child comes to know (see [`crate::precedence`]), and the host's
//! upcalls lead to the parent only. What helps: when a provider is initialised, in the parent or in
//! a child, libcrypto reads the function table and then asks for the reason strings. So the table
//! has another function for queries by then, one for each child, which has nothing the first time
//! that it is asked for an operation.

use ossl_abi::Dispatch;
use ossl_abi::functions::{operation, provider as id};
use ossl_abi::types::Algorithm;
use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Children that are told apart. All after them share the last one's function.
const CHILDREN: usize = 16;

/// The operations of which libcrypto takes the first implementation that it came to know.
const ORDERED: [c_int; 3] = [operation::KEYMGMT, operation::SIGNATURE, operation::ASYM_CIPHER];

/// The functions that children call.
pub(crate) type Queries = [Query; CHILDREN];

type Query = unsafe extern "C" fn(*mut c_void, c_int, *mut c_int) -> *const Algorithm;

/// One provider's function table, and who has read it.
pub(crate) struct Children<const LEN: usize> {
    table: UnsafeCell<[Dispatch; LEN]>,
    /// How often the provider was initialised.
    readers: AtomicUsize,
    /// Which children have asked for which of [`ORDERED`].
    asked: [[AtomicBool; ORDERED.len()]; CHILDREN],
}

// SAFETY: of the table nothing is written but one pointer, atomically; libcrypto reads it as a whole,
// before or after, and either function does.
unsafe impl<const LEN: usize> Sync for Children<LEN> {}
// SAFETY: the table's pointers lead to functions.
unsafe impl<const LEN: usize> Send for Children<LEN> {}

impl<const LEN: usize> Children<LEN> {
    pub(crate) fn new(table: [Dispatch; LEN]) -> Self {
        Self {
            table: UnsafeCell::new(table),
            readers: AtomicUsize::new(0),
            asked: [const { [const { AtomicBool::new(false) }; ORDERED.len()] }; CHILDREN],
        }
    }

    /// The table for libcrypto, valid while `self` lives.
    pub(crate) fn table(&self) -> *const Dispatch {
        self.table.get().cast()
    }

    /// Whether there is or was a child.
    pub(crate) fn exist(&self) -> bool {
        self.readers.load(Ordering::Relaxed) > 1
    }

    /// The table was read, first by the parent: puts the next child's function into it.
    pub(crate) fn initialised(&self, queries: &Queries) {
        let next = self.readers.fetch_add(1, Ordering::Relaxed).min(CHILDREN - 1);
        self.asked[next].iter().for_each(|asked| asked.store(false, Ordering::Relaxed));
        let first = self.table.get().cast::<Dispatch>();
        for at in 0..LEN {
            // SAFETY: in bounds; numbers of functions are never written.
            let entry = unsafe { first.add(at) };
            // SAFETY: as above.
            if unsafe { (*entry).function_id } == id::QUERY_OPERATION.id() {
                // SAFETY: an optional function is a pointer, which lives as long as `self`.
                let function = unsafe { AtomicPtr::from_ptr((&raw mut (*entry).function).cast()) };
                function.store(queries[next] as *mut c_void, Ordering::Relaxed);
            }
        }
    }

    /// Whether a child has to get to know others first.
    pub(crate) fn comes_too_early(&self, child: usize, operation: c_int) -> bool {
        let Some(at) = ORDERED.iter().position(|ordered| *ordered == operation) else {
            return false;
        };
        self.asked.get(child).is_some_and(|asked| !asked[at].swap(true, Ordering::Relaxed))
    }
}

/// One function for each child.
macro_rules! queries {
    ($function:ident: $($child:literal)*) => {
        [$($function::<$child>),*]
    };
}
pub(crate) use queries;

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    unsafe extern "C" fn query<const CHILD: usize>(
        _provctx: *mut c_void,
        _operation: c_int,
        no_cache: *mut c_int,
    ) -> *const Algorithm {
        // SAFETY: the test gives room.
        unsafe { *no_cache = i32::try_from(CHILD).expect("a small number") };
        ptr::null()
    }

    const QUERIES: Queries = queries!(query: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

    fn in_table(children: &Children<2>) -> c_int {
        // SAFETY: the table ends.
        let query = unsafe { id::QUERY_OPERATION.find(children.table()) }.expect("in the table");
        let mut child = -1;
        // SAFETY: there is room.
        unsafe { query(ptr::null_mut(), 0, &mut child) };
        child
    }

    #[test]
    fn every_child_reads_another_function() {
        let children = Children::new([id::QUERY_OPERATION.entry(query::<7>), Dispatch::END]);
        assert_eq!(in_table(&children), 7, "the parent's");
        for child in 0..20 {
            children.initialised(&QUERIES);
            assert_eq!(in_table(&children), child.min(15));
            assert_eq!(children.exist(), child > 0);
        }
    }

    #[test]
    fn a_child_has_nothing_the_first_time() {
        let children = Children::new([id::QUERY_OPERATION.entry(query::<7>), Dispatch::END]);
        for operation in ORDERED {
            assert!(children.comes_too_early(3, operation));
            assert!(!children.comes_too_early(3, operation));
            assert!(children.comes_too_early(4, operation));
        }
        assert!(!children.comes_too_early(3, operation::STORE));
    }
}
