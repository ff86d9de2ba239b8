"""Reading the loans of a day out of a large library system: by the stand-in for Oracle, and on MariaDB."""
