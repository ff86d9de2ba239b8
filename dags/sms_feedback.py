"""## Retours des SMS

Toutes les heures, ce que le prestataire sait des SMS partis ; quatre questions, aucune n'attend l'autre.

1. **Lire les accusés de réception** : un SMS accepté devient *reçu* ou *revenu en erreur* ; un SMS *en doute* trouve
   sa réponse. Un numéro dont plusieurs SMS de suite échouent pour de bon (`dead_after_failures` dans `library.toml`)
   n'est plus servi : l'avis suivant part par e-mail ou lettre seulement.
2. **Lire les réponses** : un lecteur qui répond STOP n'est plus servi par SMS, et ce qui l'attendait est annulé.
   Les autres réponses sont gardées au registre.
3. **Lire la liste noire** : les numéros que le prestataire ne sert plus.
4. **Lire le crédit** : ce qu'il reste de SMS, pour la page **Aujourd'hui**.

La liste des désinscrits est à la page **Relances** : on y voit qui, pourquoi, depuis quand, et si des SMS sont encore
payés pour eux ; on peut y réinscrire un lecteur. Le prestataire peut aussi appeler Airflow dès qu'il sait quelque
chose ; cette tournée rattrape ce qui manquerait.
"""

from airflow.sdk import DAG

from loan_reminders.dag_arguments import arguments_beside_stages, each_library, hourly
from loan_reminders.operators import ReadBlacklist, ReadCredit, ReadReceipts, ReadReplies

for _ in each_library():
    with DAG(schedule=hourly(10), doc_md=__doc__, **arguments_beside_stages("sms_feedback")):
        ReadReceipts()
        ReadReplies()
        ReadBlacklist()
        ReadCredit()
