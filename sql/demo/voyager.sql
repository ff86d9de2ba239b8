-- The Voyager tables the extraction reads, with the columns it needs, for the fictional library.
-- Oracle syntax that SQLite accepts too.

-- open loans
CREATE TABLE circ_transactions (
    circ_transaction_id  NUMBER(38)  NOT NULL,
    item_id              NUMBER(38)  NOT NULL,
    patron_id            NUMBER(38)  NOT NULL,
    patron_group_id      NUMBER(38),
    charge_date          DATE,
    charge_location      NUMBER(38),
    current_due_date     DATE,
    renewal_count        NUMBER(38),
    discharge_date       DATE
);
CREATE UNIQUE INDEX circ_transactions_by_key ON circ_transactions (circ_transaction_id);
CREATE INDEX circ_transactions_by_due ON circ_transactions (current_due_date);

-- readers
CREATE TABLE patron (
    patron_id   NUMBER(38)     NOT NULL,
    last_name   VARCHAR2(400),
    first_name  VARCHAR2(400),
    sms_number  VARCHAR2(50),
    birth_date  DATE
);
CREATE UNIQUE INDEX patron_by_key ON patron (patron_id);
CREATE TABLE patron_group (
    patron_group_id    NUMBER(38)    NOT NULL,
    patron_group_code  VARCHAR2(10)
);
CREATE UNIQUE INDEX patron_group_by_key ON patron_group (patron_group_id);
CREATE TABLE patron_barcode (
    patron_barcode_id  NUMBER(38)    NOT NULL,
    patron_id          NUMBER(38)    NOT NULL,
    patron_barcode     VARCHAR2(25),
    barcode_status     NUMBER(38)
);
CREATE UNIQUE INDEX patron_barcode_by_key ON patron_barcode (patron_barcode_id);
CREATE INDEX patron_barcode_by_patron ON patron_barcode (patron_id);

-- postal addresses of types 1 and 2, e-mail addresses of type 3
CREATE TABLE patron_address (
    address_id     NUMBER(38)     NOT NULL,
    patron_id      NUMBER(38)     NOT NULL,
    address_type   NUMBER(38),
    address_line1  VARCHAR2(200),
    address_line2  VARCHAR2(200),
    address_line3  VARCHAR2(200),
    address_line4  VARCHAR2(200),
    zip_postal     VARCHAR2(10),
    city           VARCHAR2(100),
    country        VARCHAR2(40),
    effect_date    DATE,
    expire_date    DATE
);
CREATE UNIQUE INDEX patron_address_by_key ON patron_address (address_id);
CREATE INDEX patron_address_by_patron ON patron_address (patron_id);
CREATE TABLE patron_phone (
    address_id    NUMBER(38)    NOT NULL,
    phone_type    NUMBER(38),
    phone_number  VARCHAR2(30)
);
CREATE INDEX patron_phone_by_address ON patron_phone (address_id);

-- items
CREATE TABLE item (
    item_id       NUMBER(38)  NOT NULL,
    item_type_id  NUMBER(38),
    price         NUMBER(38)
);
CREATE UNIQUE INDEX item_by_key ON item (item_id);
CREATE TABLE item_type (
    item_type_id    NUMBER(38)    NOT NULL,
    item_type_code  VARCHAR2(10)
);
CREATE UNIQUE INDEX item_type_by_key ON item_type (item_type_id);
CREATE TABLE item_barcode (
    item_id         NUMBER(38)    NOT NULL,
    item_barcode    VARCHAR2(30),
    barcode_status  NUMBER(38)
);
CREATE INDEX item_barcode_by_item ON item_barcode (item_id);
CREATE TABLE item_status (
    item_id      NUMBER(38)  NOT NULL,
    item_status  NUMBER(38)
);
CREATE INDEX item_status_by_item ON item_status (item_id);
CREATE TABLE location (
    location_id    NUMBER(38)    NOT NULL,
    location_code  VARCHAR2(10)
);
CREATE UNIQUE INDEX location_by_key ON location (location_id);

-- bibliographic records, and the holdings that have the call numbers
CREATE TABLE bib_text (
    bib_id  NUMBER(38)     NOT NULL,
    title   VARCHAR2(500),
    author  VARCHAR2(300)
);
CREATE UNIQUE INDEX bib_text_by_key ON bib_text (bib_id);
CREATE TABLE bib_item (
    bib_id   NUMBER(38)  NOT NULL,
    item_id  NUMBER(38)  NOT NULL
);
CREATE INDEX bib_item_by_item ON bib_item (item_id);
CREATE TABLE mfhd_item (
    mfhd_id    NUMBER(38)     NOT NULL,
    item_id    NUMBER(38)     NOT NULL,
    item_enum  VARCHAR2(200)
);
CREATE INDEX mfhd_item_by_item ON mfhd_item (item_id);
CREATE TABLE mfhd_master (
    mfhd_id          NUMBER(38)     NOT NULL,
    display_call_no  VARCHAR2(300)
);
CREATE UNIQUE INDEX mfhd_master_by_key ON mfhd_master (mfhd_id);
