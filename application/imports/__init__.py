"""Other systems' files, mapped to the facts that the inbound door takes. Pure: no file is opened here."""
