-- The Aleph 500 tables the extraction reads, with the columns it needs, for the fictional library.
-- Oracle syntax that SQLite accepts too. Every date is a number YYYYMMDD, 0 for none.

-- open loans
CREATE TABLE z36 (
    z36_rec_key        CHAR(15)      NOT NULL,
    z36_id             CHAR(12)      NOT NULL,
    z36_number         NUMBER(9)     NOT NULL,
    z36_sub_library    CHAR(5),
    z36_status         CHAR(1),
    z36_loan_date      NUMBER(8),
    z36_due_date       NUMBER(8),
    z36_returned_date  NUMBER(8),
    z36_item_status    CHAR(2),
    z36_bor_status     CHAR(2),
    z36_no_renewal     NUMBER(2),
    z36_proxy_id       CHAR(12),
    z36_effective_due_date  NUMBER(8)
);
CREATE INDEX z36_by_key ON z36 (z36_rec_key);
CREATE INDEX z36_by_due_date ON z36 (z36_due_date);
CREATE INDEX z36_by_patron ON z36 (z36_id);

-- items
CREATE TABLE z30 (
    z30_rec_key      CHAR(15)       NOT NULL,
    z30_barcode      VARCHAR2(30),
    z30_call_no      VARCHAR2(80),
    z30_description  VARCHAR2(200),
    z30_item_status  CHAR(2),
    z30_price        CHAR(10)
);
CREATE UNIQUE INDEX z30_by_key ON z30 (z30_rec_key);

-- bibliographic records
CREATE TABLE z13 (
    z13_rec_key  CHAR(9)        NOT NULL,
    z13_title    VARCHAR2(400),
    z13_author   VARCHAR2(100)
);
CREATE UNIQUE INDEX z13_by_key ON z13 (z13_rec_key);

-- links from the administrative record of an item to its bibliographic records
CREATE TABLE z103 (
    z103_rec_key    CHAR(18) NOT NULL,
    z103_rec_key_1  CHAR(18) NOT NULL
);
CREATE UNIQUE INDEX z103_by_key ON z103 (z103_rec_key);

-- readers
CREATE TABLE z303 (
    z303_rec_key      CHAR(12)      NOT NULL,
    z303_con_lng      CHAR(3),
    z303_name         VARCHAR2(200),
    z303_last_name    VARCHAR2(100),
    z303_first_name   VARCHAR2(100),
    z303_home_library CHAR(5),
    z303_birth_date   NUMBER(8)
);
CREATE UNIQUE INDEX z303_by_key ON z303 (z303_rec_key);

-- postal and electronic addresses; an address is five lines of 200 characters, the first the name
CREATE TABLE z304 (
    z304_rec_key        CHAR(14)       NOT NULL,
    z304_address        VARCHAR2(1000),
    z304_zip            CHAR(9),
    z304_email_address  VARCHAR2(60),
    z304_telephone      VARCHAR2(30),
    z304_telephone_2    VARCHAR2(30),
    z304_telephone_3    VARCHAR2(30),
    z304_telephone_4    VARCHAR2(30),
    z304_sms_number     VARCHAR2(30),
    z304_date_from      NUMBER(8),
    z304_date_to        NUMBER(8),
    z304_address_type   NUMBER(2)
);
CREATE UNIQUE INDEX z304_by_key ON z304 (z304_rec_key);

-- rights of a reader in a library
CREATE TABLE z305 (
    z305_rec_key      CHAR(17) NOT NULL,
    z305_bor_status   CHAR(2),
    z305_bor_type     CHAR(2),
    z305_expiry_date  NUMBER(8)
);
CREATE UNIQUE INDEX z305_by_key ON z305 (z305_rec_key);

-- identifiers of a reader: 00 the identifier itself, 01 the barcode of the card
CREATE TABLE z308 (
    z308_rec_key  CHAR(22) NOT NULL,
    z308_id       CHAR(12) NOT NULL,
    z308_status   CHAR(2)
);
CREATE UNIQUE INDEX z308_by_key ON z308 (z308_rec_key);
CREATE INDEX z308_by_patron ON z308 (z308_id);
