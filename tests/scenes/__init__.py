"""What tests set up before they look: each scene once, for all files that need it. Fixtures are in conftest.py.

Values
    clocks              clocks that jump over an hour or a midnight during the work (services)
    sentences           what an error says, as `check` of `pytest.raises`; French words as one types them (all rooms)
    builders            loans, readers, notices, deliveries, messages: a test names only what it is about (all rooms)
    foreign_addresses   addresses abroad as readers give them (domain/recipients, rendering/letters)
    phone_fields        phone fields as libraries hold them, and what each becomes (domain/recipients)
    refusals            what mail servers say when they refuse, and what it means (domain/email, services/email)
    bounce_samples      reports of mail servers in their own shapes, and messages too costly to read (…/email, airflow)
    several_libraries   a folder of libraries as one installation has it (settings, airflow, web, security, bench)
    alerted_team        settings that name who is told of red and late runs (airflow)
    sms_parts           how a phone network cuts a text: shares nothing with the program's counting (…/sms)

What readers get
    rendered_emails     e-mails as the delivered templates make them, read again (rendering/email)
    printed_letters     letters as the page engine makes them, and what a PDF reader finds (rendering/letters)

The outside world, on a socket
    aleph               the Aleph statements on SQLite and on the Oracle wire (gateways/runs, airflow, simulators)
    ils_engines         the same loans in a database of each engine, and the gateway on them (gateways/runs, airflow)
    sources             Aleph, Voyager and a site's view, with the golden loans of each (gateways/runs)
    checked_ils         `make check-ils` on the Oracle wire, its clock standing still (commands)
    oracle_accounts     an account of Oracle as an Airflow Connection tells of it (gateways/runs)
    oracle_misfortunes  how the Oracle driver is brought to raise each of its own errors (gateways/runs)
    library_systems     Koha, Sierra, PMB on real servers, and what each is to tell of the golden loans (gateways/runs)
    mail_relays         an account on a simulated SMTP server, and what it kept (gateways/email)
    bounce_mailbox      the mailbox of bounces on a simulated IMAP server (gateways/email, services/email)
    sms_requests        texts, gateways of both APIs, and a server that says what it is told (gateways/sms)
    sms_callbacks       what the SMS provider says by calling the address of the pages (web/sms)

A real ledger, brought to a point by the ledger's own ways
    ledger_runs         runs opened, extracted, planned, killed; `rows` asks SQL (ledger, web, bench, other scenes)
    readings            runs that read so much of the ILS, week after week (ledger, services, airflow, web)
    ledger_emails       e-mails that left and came back, alone or in a mass (ledger, web)
    ledger_sms          SMS that left, their receipts, replies, the provider's list (ledger, web)
    loan_records        a message, or a day without one, as the ledger tells of it (domain, french, web)
    ledger_letters      letters in closed batches and in drafts; `close_batch` (ledger, other scenes)
    ledger_registered   registered letters that were printed, and each further step (ledger, web)
    first_page          the first page of a day, and an Airflow that says how far each stage is (web/runs)
    redirected          a library whose messages are redirected to test addresses (ledger, web, rendering)
    batch_desk          one closed batch with its PDF and its loans in the ILS (web/letters)
    known_readers       readers as the ledger knows them, each with its number (ledger, web)
    holds               readers and loans that are not to be written to (ledger, services, web)
    failed_tasks        what Airflow hands over of a task that failed (airflow)
    notice_sources      the notices that are not about loans, read from an ILS (gateways/runs)
    failing_contacts    contacts of readers that fail (ledger, web)
    resending           a message sent again to one reader (services)
    copies              how often one message left, against what the ledger says of it (services/runs)
    counters            the figures as kept, and the same counted by other means (ledger/statistics)
    findings            what was concluded about SMS on a night, of each kind (web, rendering, french)
    simulated_library   loans of a library in which the effect of an SMS is known (ledger, services, gateways, web)
    disputed_loan       one loan through e-mail, SMS, letter and registered letter (…/dispute, commands)
    any_revision        rows for every table of a ledger of any revision (ledger)
    backups             a ledger backed up, and brought back later; the mark's file in memory (ledger, services, web, …)
    planted             readers one would know again in any row or file, and a search for them (…/removal, services)
    left_behind         what logs, addresses and headers keep, and a walk over all pages (security)
    unmistakable        readers one would know again in any writing of any file, and a search of bytes (security)
    old_ledger          a ledger that believes in two million rows a table (ledger)
    large_ledger        three years of a library with two million deliveries, really there (bench)
    asked/              everything that is asked of a ledger, asked once, a module for each subject (ledger)
    query_plans         the plan of every statement that is executed (ledger)

    Below asked/ is all that pages and runs ask of the ledger, each question once, for the test of its plans.

The use cases at work
    world               services on a real ledger, SMTP and SMS server; the ILS is a list (services, airflow, commands)
    letter_readers      readers who get letters, and letter stores that fail (services/letters, …/registered, airflow)
    letter_approval     a librarian who is asked about registered letters (services/registered, services/runs)
    sms_return          readers who got an SMS, and what is asked of the provider afterwards (services/sms)
    outside             relay, SMS gateway, printer and store in memory, with every misfortune (services, other scenes)
    miniature           a library whose readers, loans and days change, on `outside` (services/runs)
    month               a month of such a library, each DAG once a day, with kills (services/runs)
                        (`lived/`: three months of the fictional library, as `make up` shows them)

Airflow
    library_people      who may what in which library, and the pages of several (web/libraries, security)
    fake_airflow        its REST API as the pages ask it, behind an httpx transport (web/runs)
    operators_at_work   the real operators on a `world` (airflow)
    schedules           when each DAG's runs fall, in a process with settings of its own (airflow)
"""
