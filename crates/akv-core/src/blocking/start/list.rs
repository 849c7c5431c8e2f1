//! Lists whose pages are requested in the background.

use super::super::{KeyList, Pending};
use crate::Result;

impl KeyList {
    /// Starts the request for the next page, unless the next item is known already. The list that
    /// results returns that item without a request.
    ///
    /// ```no_run
    /// # fn example(vault: akv_core::blocking::Vault) -> akv_core::Result<()> {
    /// let pending = Box::new(vault.list()).start_page()?;
    /// // Something else meanwhile.
    /// let mut list = pending.wait()?;
    /// if let Some(item) = list.next() {
    ///     println!("{}", item?.name());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The runtime cannot be started. All other errors are in the result.
    pub fn start_page(mut self: Box<Self>) -> Result<Pending<Box<Self>>> {
        if self.failed || !self.items.is_empty() {
            return Ok(self.into());
        }
        let session = self.list.session().clone();
        Pending::start(&session, async move {
            // A page may be empty.
            while self.items.is_empty()
                && let Some(page) = self.list.next_page().await?
            {
                self.items = page.into();
            }
            Ok(self)
        })
    }
}
