"""## Avis de la bibliothèque, autre que ceux des prêts

Un avis que la bibliothèque a ajouté elle-même (partie `[notices]` de `library.toml`) : une réservation est arrivée, une
suggestion d'achat est en rayon… Un message par lecteur et par jour de l'événement, par e-mail et, si la bibliothèque le
veut, par SMS ; chaque demande est annoncée **une seule fois**.

1. **Extraire les prêts** : ici les demandes du jour et des jours d'avant (`days_back`), que la requête de cet avis lit
   dans le SIGB.
2. **Préparer les avis**, 3. **Vérifier le volume** : comme chaque étape.
4. **Envoyer les e-mails** et **Envoyer les SMS** : l'un n'attend pas l'autre ; ce qui n'est plus vrai dans le SIGB au
   moment de l'envoi (retirée, annulée) n'est pas annoncé. Une désinscription (STOP) vaut ici aussi.
5. **Clore et vérifier** : les comptes doivent être justes.

Rattraper un jour : « Déclencher », avec le *jour de référence*. *Essai à blanc* : tout se prépare, rien ne part.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import dag_arguments, daily, each_library, other_notices, sends_sms
from loan_reminders.operators import CloseRun, ConfirmVolume, ExtractLoans, PlanNotices, SendEmails, SendSms

for _ in each_library():
    for notice in other_notices():
        with DAG(schedule=daily(notice), doc_md=__doc__, **dag_arguments(notice)):
            loans = ExtractLoans()
            notices = PlanNotices(run_id=loans.output)
            volume = ConfirmVolume(run_id=loans.output)
            emails = SendEmails.of_shares(notices.output, run_id=loans.output)
            texts = [SendSms(run_id=loans.output)] if sends_sms(notice) else []
            closing = CloseRun(run_id=loans.output)

            loans >> notices >> volume >> [emails, *texts] >> closing
