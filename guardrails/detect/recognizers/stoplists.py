"""Words that name models take for names. Data only; lower case.

From the false positives that stock models make on office text: imperatives, greetings and headings
with a capital, products, job titles, log words. A name that is also such a word is still found when
a first or family name stands beside it.
"""

_EN = """
write draft summarise summarize translate rewrite explain create compare list sort compute calculate find
check review update send reply forward attach open close add remove delete reset install enable disable
please thanks thank hello hi hey dear regards best kind sincerely cheers welcome congratulations sorry yes no ok okay
morning afternoon evening good happy merry new year christmas easter halloween thanksgiving holiday holidays
invoice quote order receipt agenda minutes meeting summary report budget contract policy handbook total amount
subject title name address phone email date status priority category description owner reviewer requester
department site location user users customer client supplier vendor employee manager director engineer analyst
officer assistant consultant accountant developer administrator admin support helpdesk team staff hr it finance
marketing sales legal operations procurement logistics security compliance accounting payroll purchasing
outlook windows teams excel word powerpoint sharepoint onedrive office linux ubuntu debian docker kubernetes
python java javascript chrome firefox edge safari android iphone ipad macbook mac ios vpn wifi lan ssl ssh sshd http https
kernel audit app error warn warning info debug trace fatal exception traceback timeout session server host port
git github gitlab jenkins jira confluence slack zoom sap oracle salesforce servicenow postgres mysql redis kafka
nginx apache azure aws gcp google microsoft apple amazon adobe acrobat photoshop figma
password login logout account settings profile dashboard portal intranet internet laptop printer monitor keyboard
sprint backlog milestone deadline project phase step section chapter appendix annex figure table column row
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
september october november december spring summer autumn winter today tomorrow yesterday weekend
mr mrs ms miss dr prof professor sir madam lord lady judge officer captain president minister
gdpr vat iban bic siret siren nir ssn kpi roi sla api sql csv pdf json xml html faq nda rfp ceo cfo cto ciso dpo vp
god jesus internet covid excel yes-man resume cv curriculum vitae n/a na nan tbd todo asap fyi eta ps pm am
question answer agent bot assistant system prompt model tool note notes example sample test demo draft template
french english german spanish italian dutch portuguese polish greek turkish russian chinese japanese
""".split()

_FR = """
rédige rédigez résume résumez traduis traduisez réécris réécrivez explique expliquez crée créez compare comparez
liste listez trie triez calcule calculez trouve trouvez vérifie vérifiez envoie envoyez réponds répondez ajoute ajoutez
supprime supprimez prépare préparez propose proposez donne donnez fais faites aide aidez analyse analysez extrais
corrige corrigez reformule reformulez génère générez complète complétez classe classez montre montrez indique indiquez
relis relisez imprime ouvre ferme clique cliquez saisis saisissez sélectionne sélectionnez tableau
merci bonjour bonsoir salut coucou cordialement bien cher chère chers madame monsieur mesdames messieurs mademoiselle
maître docteur oui non voilà ok bon bonne année joyeux noël vœux fêtes pâques félicitations bienvenue désolé
facture devis commande reçu ordre jour réunion compte rendu résumé rapport budget contrat règlement politique charte
total montant objet titre nom prénom adresse téléphone courriel mail date statut priorité catégorie description
responsable relecteur demandeur service site lieu utilisateur utilisatrice client cliente fournisseur salarié salariée
directeur directrice ingénieur analyste assistant assistante consultant comptable développeur administrateur équipe
ressources humaines finance juridique achats logistique sécurité conformité comptabilité paie direction générale
imprimante écran clavier ordinateur portable serveur réseau mise jour erreur attention avertissement
télétravail congés congé absence mutuelle prévoyance convention collective cotisation retraite
lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril mai juin juillet août septembre
octobre novembre décembre printemps été automne hiver aujourd'hui demain hier
mme mlle me pr mgr rgpd tva siret siren nir cnil urssaf cni rib cdi cdd dsi drh daf pdg cse rh tel tél
étape section chapitre annexe figure colonne ligne article alinéa paragraphe voir ci-joint
français anglais allemand espagnol italien néerlandais portugais polonais
ben bah euh hein alors donc enfin écoutez écoute tiens attends bref
""".split()

NOT_NAMES = frozenset([*_EN, *_FR])
"""A PERSON or LOCATION made only of these words is no name."""

# words that may begin what the model took for a name, but belong to the sentence
LEADING = frozenset(
    "mr mrs ms miss dr prof professor sir madam m mme mlle me maître monsieur madame mademoiselle docteur mm mmes "
    "dear hi hello hey bonjour salut cher chère chers merci thanks thank cordialement regards from to cc de à objet subject "
    "rédige résume traduis réécris explique contacte contactez appelle appelez call contact ask tell email write "
    "agent user patient patiente client cliente salarié salariée judge officer counsel attorney president "
    "the a an le la les un une et and with avec chez selon d'après by par name nom prénom signed signé".split()
)

CITIES_LIKE_WORDS = frozenset(
    "nice tours bath reading mobile orange lens sens angers vienne die cork bar split".split()
)
