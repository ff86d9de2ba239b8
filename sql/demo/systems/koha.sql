-- The tables of Koha that the extraction reads, with the columns it names (and two it must be able to ignore): names, types
-- and keys as Koha's installer has them, foreign keys left out, so that the fictional library can hold what a base repaired
-- by hand holds.
CREATE TABLE issues (
    issue_id        INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    borrowernumber  INT NOT NULL,
    itemnumber      INT NOT NULL,
    date_due        DATETIME NULL,
    branchcode      VARCHAR(10) NULL,
    returndate      DATETIME NULL,
    renewals_count  TINYINT NOT NULL DEFAULT 0,
    timestamp       TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    issuedate       DATETIME NULL,
    onsite_checkout INT(1) NOT NULL DEFAULT 0,
    UNIQUE KEY itemnumber (itemnumber),
    KEY issuesborridx (borrowernumber),
    KEY issuesbranchidx (branchcode)
);

CREATE TABLE borrowers (
    borrowernumber  INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    cardnumber      VARCHAR(32) NULL,
    surname         LONGTEXT NULL,
    firstname       MEDIUMTEXT NULL,
    streetnumber    TINYTEXT NULL,
    streettype      TINYTEXT NULL,
    address         LONGTEXT NULL,
    address2        TEXT NULL,
    city            LONGTEXT NULL,
    zipcode         TINYTEXT NULL,
    country         TEXT NULL,
    email           LONGTEXT NULL,
    emailpro        TEXT NULL,
    phone           MEDIUMTEXT NULL,
    mobile          TINYTEXT NULL,
    phonepro        TEXT NULL,
    B_streetnumber  TINYTEXT NULL,
    B_streettype    TINYTEXT NULL,
    B_address       MEDIUMTEXT NULL,
    B_address2      MEDIUMTEXT NULL,
    B_city          LONGTEXT NULL,
    B_zipcode       TINYTEXT NULL,
    B_country       MEDIUMTEXT NULL,
    B_email         MEDIUMTEXT NULL,
    B_phone         LONGTEXT NULL,
    smsalertnumber  VARCHAR(50) NULL,
    lang            VARCHAR(25) NOT NULL DEFAULT 'default',
    categorycode    VARCHAR(10) NOT NULL DEFAULT '',
    branchcode      VARCHAR(10) NOT NULL DEFAULT '',
    sort1           VARCHAR(80) NULL,
    sort2           VARCHAR(80) NULL,
    dateofbirth     DATE NULL,
    dateexpiry      DATE NULL,
    debarred        DATE NULL,
    gonenoaddress   TINYINT(1) NULL,
    lost            TINYINT(1) NULL,
    UNIQUE KEY cardnumber (cardnumber)
);

CREATE TABLE categories (
    categorycode          VARCHAR(10) NOT NULL PRIMARY KEY,
    overduenoticerequired TINYINT(1) NULL
);

CREATE TABLE items (
    itemnumber       INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    biblionumber     INT NOT NULL DEFAULT 0,
    biblioitemnumber INT NOT NULL DEFAULT 0,
    barcode          VARCHAR(20) NULL,
    itemcallnumber   VARCHAR(255) NULL,
    homebranch       VARCHAR(10) NULL,
    holdingbranch    VARCHAR(10) NULL,
    itemlost         TINYINT(1) NOT NULL DEFAULT 0,
    price            DECIMAL(8, 2) NULL,
    replacementprice DECIMAL(8, 2) NULL,
    enumchron        MEDIUMTEXT NULL,
    itype            VARCHAR(10) NULL,
    UNIQUE KEY itembarcodeidx (barcode)
);

CREATE TABLE biblio (
    biblionumber INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    author       LONGTEXT NULL,
    title        LONGTEXT NULL,
    part_number  LONGTEXT NULL
);

CREATE TABLE biblioitems (
    biblioitemnumber INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    biblionumber     INT NOT NULL DEFAULT 0,
    volume           LONGTEXT NULL,
    itemtype         VARCHAR(10) NULL
);

CREATE TABLE itemtypes (
    itemtype           VARCHAR(10) NOT NULL PRIMARY KEY,
    defaultreplacecost DECIMAL(28, 6) NULL
);

CREATE TABLE return_claims (
    id          INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    itemnumber  INT NOT NULL,
    issue_id    INT NULL,
    resolved_on TIMESTAMP NULL,
    UNIQUE KEY item_issue (itemnumber, issue_id)
);

CREATE TABLE authorised_values (
    id               INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    category         VARCHAR(32) NOT NULL DEFAULT '',
    authorised_value VARCHAR(80) NOT NULL DEFAULT '',
    lib              VARCHAR(200) NULL,
    KEY name (category),
    KEY auth_value_idx (authorised_value)
)
