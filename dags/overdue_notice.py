"""## Avis de retard

Chaque jour à 10 h, le **lendemain de l'échéance** : un e-mail au lecteur, **et un SMS** si son mobile est connu,
s'il est étudiant et si le prêt était d'au moins 14 jours (conditions dans `library.toml`).

1. **Extraire les prêts**, 2. **Préparer les avis** : comme chaque étape.
3. **Vérifier le volume** : une tournée bien plus grosse que d'habitude, ou une lecture du SIGB inhabituelle
   (aucun prêt, deux fois moins d'e-mails ou de mobiles), attend une réponse (« Actions requises »).
4. **Envoyer les e-mails** et **Envoyer les SMS** : l'un n'attend pas l'autre. Un SMS dont la réponse n'est pas
   revenue est *en doute* et ne repart jamais tout seul.
5. **Clore et vérifier** : les comptes doivent être justes.

Tournée en retard : un prêt qui relève déjà de la première lettre de relance est écarté (`superseded`).
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import dag_arguments, daily, each_library
from loan_reminders.domain.stages import Stage
from loan_reminders.operators import CloseRun, ConfirmVolume, ExtractLoans, PlanNotices, SendEmails, SendSms

for _ in each_library():
    with DAG(schedule=daily(Stage.OVERDUE_NOTICE), doc_md=__doc__, **dag_arguments(Stage.OVERDUE_NOTICE)):
        loans = ExtractLoans()
        notices = PlanNotices(run_id=loans.output)
        volume = ConfirmVolume(run_id=loans.output)
        emails = SendEmails.of_shares(notices.output, run_id=loans.output)
        sms = SendSms(run_id=loans.output)
        closing = CloseRun(run_id=loans.output)

        loans >> notices >> volume >> [emails, sms] >> closing
