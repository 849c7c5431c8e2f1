//! Child library contexts: another provider may create one (`OSSL_LIB_CTX_new_child`). It contains
//! all providers of its parent, including ours.
//!
//! libcrypto passes our provider context and our function table to the child, but never identifies
//! the context that makes a query. In a child, libcrypto queries the providers in the order of
//! their names, so ours would be the first that it registers (see [`crate::precedence`]), and our
//! upcalls reach only the parent. The solution uses the order of initialisation: in the parent and
//! in each child, libcrypto first reads the function table and then requests the reason strings.
//! After that, we put another query function into the table, one for each child. It returns nothing
//! the first time it is called for an operation.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use ossl_abi::Dispatch;
use ossl_abi::functions::{operation, provider as id};
use ossl_abi::types::Algorithm;

/// Number of children with a query function of their own. All later ones share the last function.
const CHILDREN: usize = 16;

/// The operations for which libcrypto uses the implementation that was registered first.
const ORDERED: [c_int; 3] = [operation::KEYMGMT, operation::SIGNATURE, operation::ASYM_CIPHER];

/// The query functions for children.
pub(crate) type Queries = [Query; CHILDREN];

type Query = unsafe extern "C" fn(*mut c_void, c_int, *mut c_int) -> *const Algorithm;

/// A provider's function table, and the children that have read it.
pub(crate) struct Children<const LEN: usize> {
    table: UnsafeCell<[Dispatch; LEN]>,
    /// How often the provider was initialised.
    readers: AtomicUsize,
    /// Which children have queried which of [`ORDERED`].
    asked: [[AtomicBool; ORDERED.len()]; CHILDREN],
}

// SAFETY: only one pointer of the table is ever written, atomically. libcrypto reads the table
// before or after that, and either function is valid.
unsafe impl<const LEN: usize> Sync for Children<LEN> {}
// SAFETY: the table's pointers point to functions.
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

    /// Whether there is or was a child context.
    pub(crate) fn exist(&self) -> bool {
        self.readers.load(Ordering::Relaxed) > 1
    }

    /// Called after libcrypto has read the table, first in the parent. Stores the next child's
    /// function.
    pub(crate) fn initialised(&self, queries: &Queries) {
        let next = self.readers.fetch_add(1, Ordering::Relaxed).min(CHILDREN - 1);
        self.asked[next].iter().for_each(|asked| asked.store(false, Ordering::Relaxed));
        let first = self.table.get().cast::<Dispatch>();
        for at in 0..LEN {
            // SAFETY: in bounds; function ids are never written.
            let entry = unsafe { first.add(at) };
            // SAFETY: as above.
            if unsafe { (*entry).function_id } == id::QUERY_OPERATION.id() {
                // SAFETY: an optional function is a nullable pointer, which lives as long as
                // `self`.
                let function = unsafe { AtomicPtr::from_ptr((&raw mut (*entry).function).cast()) };
                function.store(queries[next] as *mut c_void, Ordering::Relaxed);
            }
        }
    }

    /// Whether this is the child's first query for an operation, which must return nothing so that
    /// other providers are registered first.
    pub(crate) fn is_first_query(&self, child: usize, operation: c_int) -> bool {
        let Some(at) = ORDERED.iter().position(|ordered| *ordered == operation) else {
            return false;
        };
        self.asked.get(child).is_some_and(|asked| !asked[at].swap(true, Ordering::Relaxed))
    }
}

/// Builds a table with one function for each child.
macro_rules! queries {
    ($function:ident: $($child:literal)*) => {
        [$($function::<$child>),*]
    };
}
pub(crate) use queries;

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    unsafe extern "C" fn query<const CHILD: usize>(
        _provctx: *mut c_void,
        _operation: c_int,
        no_cache: *mut c_int,
    ) -> *const Algorithm {
        // SAFETY: the test passes a valid pointer.
        unsafe { *no_cache = i32::try_from(CHILD).expect("a small number") };
        ptr::null()
    }

    const QUERIES: Queries = queries!(query: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

    fn in_table(children: &Children<2>) -> c_int {
        // SAFETY: the table is terminated.
        let query = unsafe { id::QUERY_OPERATION.find(children.table()) }.expect("in the table");
        let mut child = -1;
        // SAFETY: the pointer is valid.
        unsafe { query(ptr::null_mut(), 0, &mut child) };
        child
    }

    #[test]
    fn every_child_reads_a_function_of_its_own() {
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
            assert!(children.is_first_query(3, operation));
            assert!(!children.is_first_query(3, operation));
            assert!(children.is_first_query(4, operation));
        }
        assert!(!children.is_first_query(3, operation::STORE));
    }
}
